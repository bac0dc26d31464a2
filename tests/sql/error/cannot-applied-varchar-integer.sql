SELECT site + 1 FROM works.sensors GROUP BY zone
