SELECT CAST(temperature AS bigint), CAST(temperature AS int), CAST(cycles AS integer), CAST(cycles AS double), CAST(cycles AS varchar), CAST(temperature AS varchar),
       CAST(running AS varchar), CAST(running AS bigint), CAST(site AS bigint), CAST(site AS integer), CAST(site AS double), CAST(site AS boolean), CAST(cycles AS boolean),
       CAST(time AS date), CAST(time AS time), CAST(time AS varchar), CAST(site AS timestamp), CAST(site AS date), CAST(site AS time), CAST(CAST(time AS date) AS timestamp),
       CAST(1d AS varchar), CAST(1y AS varchar), CAST(NULL AS double), CAST(site AS varchar(10))
FROM works.sensors
