SHOW MEASURES FROM nowhere.sensors
