SELECT parse_duration(5 weeks)
