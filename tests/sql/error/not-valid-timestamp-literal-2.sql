SELECT time > 'yesterday' FROM works.sensors
