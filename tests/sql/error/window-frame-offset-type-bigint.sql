SELECT sum(cycles) OVER (ROWS 'x' PRECEDING) FROM works.sensors
