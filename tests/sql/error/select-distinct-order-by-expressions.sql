SELECT DISTINCT site FROM works.sensors ORDER BY time
