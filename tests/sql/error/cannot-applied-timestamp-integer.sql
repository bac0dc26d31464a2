SELECT time = 5 FROM works.sensors
