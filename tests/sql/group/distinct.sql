SELECT DISTINCT zone, bin(time, 1h) AS h FROM works.sensors WHERE time > ago(6h) ORDER BY h DESC, 1
