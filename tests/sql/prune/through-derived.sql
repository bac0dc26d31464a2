SELECT * FROM (SELECT machine AS m, time AS t, count(*) AS n FROM works.sensors GROUP BY machine, time) WHERE m = 'm1' AND t > ago(1h) AND n > 2
