SELECT max(temperature) - min(temperature) AS spread, 100.0 * count_if(running) / count(*), sum(cycles) + 1 FROM works.sensors HAVING count(*) > 10 AND max(time) > ago(1d)
