SELECT create_time_series(time, temperature) AS t FROM works.sensors ORDER BY t
