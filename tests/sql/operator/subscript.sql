SELECT ARRAY[3, 4][2], ARRAY[ARRAY[1], ARRAY[2]][1][1], split(site, '-')[2] FROM works.sensors
