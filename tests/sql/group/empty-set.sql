SELECT count(*) FROM works.sensors GROUP BY ()
