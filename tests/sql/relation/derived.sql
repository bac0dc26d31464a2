SELECT t.a, t.b FROM (SELECT site, max(time) FROM works.sensors GROUP BY site) AS t (a, b) WHERE t.b > ago(1h)
