SELECT site FROM works.sensors WHERE time BETWEEN from_unixtime(1715900000) AND from_milliseconds(1715900000000) + 36h
