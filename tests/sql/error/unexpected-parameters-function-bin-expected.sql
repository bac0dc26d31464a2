SELECT bin(now(), 1y)
