SELECT b.site, (SELECT max(b.site) FROM works.sensors AS m LEFT JOIN works.sensors AS n ON m.time = n.time AND n.site = b.site) FROM works.sensors AS b
