EXPLAIN SELECT site, count(*) AS n FROM works.sensors WHERE time > ago(1h) AND zone = 'a' GROUP BY site ORDER BY n LIMIT 5
