SELECT abs(-7), abs(temperature), abs(cycles), cbrt(27), ceil(temperature), ceiling(3), degrees(1), e(), exp(1), floor(temperature), floor(cycles), from_base('7f', 16),
       ln(2), log2(8), log10(100), mod(10, 4), mod(cycles, 4), mod(temperature, 2), pi(), pow(2, 10), power(temperature, 2), radians(90), round(temperature), round(temperature, 2),
       round(7), round(cycles), round(1234, -2), round(cycles, -1), sign(-3), sign(cycles), sign(temperature), sqrt(2), to_base(255, 2), truncate(temperature)
FROM works.sensors
