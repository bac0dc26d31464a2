SELECT site FROM works.sensors WHERE bin(time, 1m) = '2024-05-17 10:00:00' AND '2024-05-17 10:00:30' >= time
