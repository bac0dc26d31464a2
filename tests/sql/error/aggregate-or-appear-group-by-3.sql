SELECT * FROM works.sensors GROUP BY site
