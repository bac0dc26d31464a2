SELECT CAST(cycles AS timestamp) FROM works.sensors
