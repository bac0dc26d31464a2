SELECT 1 FROM works.sensors WHERE grouping(site) = 1
