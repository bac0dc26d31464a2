SELECT sum(*) FROM works.sensors
