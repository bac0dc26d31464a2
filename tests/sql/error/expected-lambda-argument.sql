SELECT filter(ARRAY[1], 2)
