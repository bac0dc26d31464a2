SELECT * FROM wroks.sensors
