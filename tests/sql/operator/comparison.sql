SELECT x = 1, x <> 1, x != 1, x < 2.5, x <= 2, x > 2, x >= 2, x BETWEEN 1 AND 2, x NOT BETWEEN 1 AND 2, x IN (1, 2, NULL), x NOT IN (3),
       x IS DISTINCT FROM NULL, x IS NOT DISTINCT FROM 3, s < 'b', (x, s) = (1, 'a'), ARRAY[x] = ARRAY[1]
FROM (VALUES (1, 'a')) AS v(x, s)
