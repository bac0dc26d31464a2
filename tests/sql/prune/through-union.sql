SELECT * FROM (SELECT site, time FROM works.sensors UNION SELECT site, time FROM works.lines) WHERE time > ago(1h) AND site = 'north'
