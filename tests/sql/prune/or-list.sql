SELECT time FROM works.sensors WHERE (zone = 'a' OR zone IN ('b', 'c')) AND (site = 'x' OR machine = 'y')
