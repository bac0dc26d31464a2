SELECT site, zone, machine, avg(temperature) FROM works.sensors GROUP BY ROLLUP(site, zone), CUBE(machine) HAVING count(*) > 2 ORDER BY count(*)
