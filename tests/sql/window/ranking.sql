SELECT row_number() OVER (PARTITION BY machine ORDER BY time DESC) AS nth, rank() OVER (ORDER BY temperature), dense_rank() OVER (ORDER BY temperature), percent_rank() OVER (ORDER BY time), cume_dist() OVER (ORDER BY time),
       ntile(4) OVER (ORDER BY time)
FROM works.sensors
