SELECT machine, time, round(value, 1) FROM (SELECT machine, interpolate_locf(create_time_series(time, temperature), sequence(min(time), max(time), 5s)) AS curve
  FROM works.sensors WHERE time BETWEEN ago(2h) AND now() GROUP BY machine) CROSS JOIN UNNEST(curve)
