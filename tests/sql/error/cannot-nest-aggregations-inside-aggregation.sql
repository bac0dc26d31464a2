SELECT sum(count(cycles)) FROM works.sensors
