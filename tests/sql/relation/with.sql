WITH hot AS (SELECT time, machine FROM works.sensors WHERE temperature > 75 AND time >= '2024-05-17 08:00:00'), cold (t) AS (SELECT time FROM hot WHERE machine = 'm1')
SELECT * FROM cold
