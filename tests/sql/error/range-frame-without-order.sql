SELECT sum(cycles) OVER (RANGE 5 PRECEDING) FROM works.sensors
