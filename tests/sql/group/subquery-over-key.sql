SELECT site, (SELECT max(speed) FROM works.lines l WHERE l.site = s.site) FROM works.sensors s GROUP BY site
