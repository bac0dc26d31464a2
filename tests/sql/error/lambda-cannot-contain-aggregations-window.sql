SELECT transform(ARRAY[1], x -> count(*))
