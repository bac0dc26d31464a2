SELECT count(*) FILTER (WHERE 1) FROM works.sensors
