SELECT machine, create_time_series(time, temperature), create_time_series(bin(time, 1m), status) FILTER (WHERE running) FROM works.sensors GROUP BY 1
