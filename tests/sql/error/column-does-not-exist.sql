SELECT oil_level FROM works.sensors
