SELECT date_format(time, '%Y-%m'), date_parse(site, '%d.%m.%Y'), format_datetime(time, 'yyyy'), parse_datetime(site, 'yyyy/MM') FROM works.sensors
