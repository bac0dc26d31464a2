SELECT DISTINCT create_time_series(time, temperature) FROM works.sensors
