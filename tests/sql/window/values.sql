SELECT first_value(site) OVER (ORDER BY time), last_value(site) OVER (ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), nth_value(site, 2) OVER (ORDER BY time), lead(site) OVER (ORDER BY time),
       lead(cycles, 2) OVER (ORDER BY time), lag(cycles, 1, 0) OVER (PARTITION BY machine ORDER BY time), to_milliseconds(time - lag(time, 1) OVER (PARTITION BY machine ORDER BY time)) AS gap
FROM works.sensors
