SELECT filter(ARRAY[1], (x, y) -> true)
