SELECT interpolate_linear(ts, sequence(ago(1h), now(), 1m)), interpolate_linear(ts, '2024-05-17'), interpolate_spline_cubic(ts, ARRAY[now()]), interpolate_spline_cubic(ts, now()),
       interpolate_locf(ts, ARRAY[now()]), interpolate_locf(ts, now()), interpolate_fill(ts, ARRAY[now()], 0), interpolate_fill(ts, now(), sqrt(-1)), derivative_linear(ts, 1m),
       non_negative_derivative_linear(ts, 1m), integral_trapezoidal(ts), integral_trapezoidal(ts, 1m), correlate_pearson(ts, ts), correlate_spearman(ts, ts)
FROM (SELECT create_time_series(time, cycles) AS ts FROM works.sensors GROUP BY site)
