SELECT time, site FROM works.sensors GROUP BY site
