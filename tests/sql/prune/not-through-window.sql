SELECT * FROM (SELECT site, time, row_number() OVER (PARTITION BY site ORDER BY time) AS n FROM works.sensors) WHERE site = 'north' AND n = 1
