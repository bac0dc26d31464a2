SELECT 1 AND running FROM works.sensors
