SELECT lag(site) IGNORE NULLS OVER (ORDER BY time) FROM works.sensors
