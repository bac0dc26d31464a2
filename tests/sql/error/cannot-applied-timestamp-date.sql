SELECT current_date + 1h, time + date '2023-01-01' FROM works.sensors
