SELECT rand(), random(), random(10), random(cycles), shuffle(ARRAY[1, 2, 3]) FROM works.sensors ORDER BY rand()
