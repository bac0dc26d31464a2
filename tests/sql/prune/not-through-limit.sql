SELECT * FROM (SELECT site, time FROM works.sensors ORDER BY time DESC LIMIT 10) WHERE site = 'north'
