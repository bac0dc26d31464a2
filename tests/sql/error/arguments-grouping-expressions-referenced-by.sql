SELECT grouping(site) FROM works.sensors GROUP BY zone
