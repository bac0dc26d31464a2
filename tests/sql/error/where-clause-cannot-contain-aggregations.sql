SELECT 1 FROM works.sensors WHERE count(*) > 1
