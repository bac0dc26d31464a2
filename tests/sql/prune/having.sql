SELECT site, count(*) FROM works.sensors GROUP BY site, bin(time, 1h) HAVING site = 'north' AND bin(time, 1h) > ago(1d) AND count(*) > 1
