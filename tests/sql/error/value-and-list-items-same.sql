SELECT cycles IN (1, 'x') FROM works.sensors
