SELECT temperature > 80, temperature / 2 > 3, sqrt(temperature) = pressure, temperature BETWEEN pressure / 2 AND 5,
       temperature / 2 NOT BETWEEN 1 AND 2, abs(temperature) <= 4, temperature * 2 <> temperature
FROM works.sensors
