SELECT sum(cycles) OVER (ORDER BY time RANGE 5month PRECEDING) FROM works.sensors
