SELECT bin(time, 30s) AS slot, machine, max(temperature) FROM works.sensors GROUP BY 1, 2 ORDER BY 1, 3 DESC
