SELECT sum(cycles) OVER (ORDER BY time RANGE 5 PRECEDING) FROM works.sensors
