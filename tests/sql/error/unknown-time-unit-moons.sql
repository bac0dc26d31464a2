SELECT parse_duration('2 moons')
