SELECT TRY_CAST(site AS bigint), try_cast(now() AS time), TRY_CAST('abc' AS double) FROM works.sensors
