SELECT * FROM works.sensors JOIN works.lines ON sensors.site
