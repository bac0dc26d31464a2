SELECT count(DISTINCT site) OVER (PARTITION BY measure_name), array_agg(site ORDER BY time DESC) OVER (ORDER BY time)
FROM works.sensors
