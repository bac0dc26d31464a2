SELECT s.site, x.latest FROM works.sensors s, LATERAL (SELECT max(l.time) AS latest FROM works.lines l WHERE l.site = s.site) x
