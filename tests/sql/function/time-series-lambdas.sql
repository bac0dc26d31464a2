SELECT filter(ts, p -> p.value > 20 AND p.time > ago(1h)),
       reduce(ts, 0.0, (total, p) -> total + p.value, total -> total),
       reduce(ts, CAST(ROW(0.0, 0) AS ROW(total DOUBLE, n INTEGER)),
              (s, p) -> CAST(ROW(s.total + p.value, s.n + 1) AS ROW(total DOUBLE, n INTEGER)), s -> s.total / s.n)
FROM (SELECT create_time_series(bin(time, 1m), temperature) AS ts FROM works.sensors GROUP BY machine)
