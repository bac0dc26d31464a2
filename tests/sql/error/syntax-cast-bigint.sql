SELECT CAST(1 bigint)
