SELECT transform(ARRAY[1, 2], x -> x + cycles), filter(ARRAY[1, 2, 3], x -> x % 2 = 1), reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 10),
       regexp_replace(site, '([a-z])(\d)', g -> upper(g[1]) || g[2])
FROM works.sensors
