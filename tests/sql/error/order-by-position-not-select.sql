SELECT site FROM works.sensors ORDER BY 5
