SELECT site FROM works.sensors GROUP BY 5
