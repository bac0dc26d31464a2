SELECT time >= '2024-05-17 09:00:00.25 +0000', '2024-05-17' < time, time = zone, DATE '2024-05-17' = time, DATE '2024-05-17' = '2024-05-17',
       bin('2024-05-17 10:20:30', 4h), day('2024-05-17'), to_milliseconds('2024-05-17 10:00:00')
FROM works.sensors
