SELECT date_add('minute', 50, time), date_add('month', cycles, current_date), date_add('hour', -1, current_time), date_diff('day', serviced, time), date_diff('week', DATE '2024-01-01', DATE '2024-05-17'),
       date_diff('second', current_time, current_time), parse_duration('2.5ms'), parse_duration('3 day'), parse_duration(concat(site, 'h')), parse_duration('8month'), bin(time, 45s), bin(time, 7d)
FROM works.sensors
