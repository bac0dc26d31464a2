SELECT lag(site ORDER BY time) OVER (ORDER BY time) FROM works.sensors
