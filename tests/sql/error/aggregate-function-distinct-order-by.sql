SELECT array_agg(DISTINCT site ORDER BY time) FROM works.sensors
