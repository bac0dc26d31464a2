SELECT CAST(ROW(0, 1) AS ROW(hits BIGINT, seen DOUBLE)), CAST(ARRAY[1, 2] AS ARRAY(varchar)), CAST(split(site, ',') AS ARRAY<bigint>), CAST(r AS ROW(a VARCHAR, b BIGINT))
FROM works.sensors, (SELECT ROW(1, 2) AS r)
