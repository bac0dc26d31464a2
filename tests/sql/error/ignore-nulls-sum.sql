SELECT sum(cycles) IGNORE NULLS FROM works.sensors
