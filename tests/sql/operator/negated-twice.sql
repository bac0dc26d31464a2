SELECT -(-temperature), - -cycles, -(-1.5), 1 - -1 FROM works.sensors
