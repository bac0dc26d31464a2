SELECT CASE WHEN running THEN 1 ELSE 'x' END FROM works.sensors
