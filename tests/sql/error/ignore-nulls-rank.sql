SELECT rank() IGNORE NULLS OVER (ORDER BY time) FROM works.sensors
