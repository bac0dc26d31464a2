SELECT sum(cycles) OVER (ORDER BY time RANGE BETWEEN 90s PRECEDING AND CURRENT ROW),
       count(*) OVER (PARTITION BY site ORDER BY cycles DESC RANGE BETWEEN 5 PRECEDING AND cycles FOLLOWING),
       avg(measure_value::double) OVER (ORDER BY measure_value::double RANGE 0.25 PRECEDING),
       count(*) OVER (ORDER BY date(time) RANGE BETWEEN UNBOUNDED PRECEDING AND 7d FOLLOWING)
FROM works.sensors
