SELECT regexp_replace(site || NULL, '(a)', g -> upper(g[1])), reduce(ARRAY[1, NULL], 0.0, (s, x) -> s + x, s -> s), ARRAY[site] || zone, temperature / 2 BETWEEN 1 AND 2, filter(ARRAY[1], c0 -> c0 > cycles)
FROM works.sensors ORDER BY time
