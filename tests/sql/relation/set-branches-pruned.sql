SELECT count(*) FROM (SELECT site, machine FROM works.sensors UNION ALL SELECT site, line FROM works.lines) WHERE site = 'north'
