SELECT time + 1h, time - 1d, 1h + time, time + 1month, time - 2y, time - serviced, d + 3d, d - 1month, d - d, t + 90s, t - 1h, t - t
FROM works.sensors, (VALUES (DATE '2024-01-31', TIME '23:00')) AS v(d, t)
