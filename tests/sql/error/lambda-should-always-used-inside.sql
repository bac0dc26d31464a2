SELECT x -> 1
