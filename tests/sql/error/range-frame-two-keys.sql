SELECT sum(cycles) OVER (ORDER BY time, site RANGE 5s PRECEDING) FROM works.sensors
