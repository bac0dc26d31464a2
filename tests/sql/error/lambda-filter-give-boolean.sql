SELECT filter(ARRAY[1], x -> x)
