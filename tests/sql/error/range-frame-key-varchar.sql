SELECT sum(cycles) OVER (ORDER BY site RANGE 5 PRECEDING) FROM works.sensors
