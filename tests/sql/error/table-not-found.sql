SELECT x.* FROM works.sensors
