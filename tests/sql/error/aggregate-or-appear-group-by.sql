SELECT site, count(*) FROM works.sensors
