SELECT parse_duration('x')
