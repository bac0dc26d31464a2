SELECT bit_count(9, 8), bitwise_and(cycles, 7), bitwise_not(12), bitwise_or(12, cycles), bitwise_xor(12, 7) FROM works.sensors
