SELECT sum(site) FROM works.sensors
