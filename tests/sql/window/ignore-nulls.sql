SELECT lag(site) IGNORE NULLS OVER (ORDER BY time), lead(site, 2, 'none') IGNORE NULLS OVER (ORDER BY time),
       first_value(site) RESPECT NULLS OVER (ORDER BY time), nth_value(site, 2) IGNORE NULLS OVER (ORDER BY time)
FROM works.sensors
