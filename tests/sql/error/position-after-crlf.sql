SELECT 1
FROM works.sensors WHERE site
