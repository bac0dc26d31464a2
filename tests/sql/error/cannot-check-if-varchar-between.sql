SELECT site BETWEEN 1 AND 2 FROM works.sensors
