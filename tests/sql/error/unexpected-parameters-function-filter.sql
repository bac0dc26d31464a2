SELECT filter(1, x -> true)
