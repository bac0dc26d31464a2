SELECT transform(ARRAY[1], x -> (SELECT 1))
