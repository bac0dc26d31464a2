SELECT site FROM works.sensors WHERE time = (SELECT max(time) FROM works.sensors WHERE zone = 'a')
