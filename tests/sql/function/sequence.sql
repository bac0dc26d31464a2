SELECT sequence(1, 5), sequence(9, 1, -2), sequence(cycles, cycles + 3), sequence('2024-05-01', '2024-05-04'), sequence(ago(1h), now(), 10m), sequence(min(time), max(time), 1d),
       sequence('2024-01-31', '2024-06-30', 1month)
FROM works.sensors GROUP BY cycles
