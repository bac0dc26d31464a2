SELECT site FROM works.sensors WHERE site IN (SELECT site FROM works.lines WHERE time > ago(1h) AND line = 'a')
