SELECT s.site, u.a, u.b FROM works.sensors s CROSS JOIN UNNEST(ARRAY[ROW(1, s.zone), ROW(2, 'z')]) AS u (a, b)
