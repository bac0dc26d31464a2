SELECT 1 FROM works.sensors WHERE cycles
