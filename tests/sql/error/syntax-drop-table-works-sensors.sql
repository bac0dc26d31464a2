DROP TABLE works.sensors
