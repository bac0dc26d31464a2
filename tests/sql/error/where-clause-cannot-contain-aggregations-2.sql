SELECT 1 FROM works.sensors WHERE row_number() OVER () > 1
