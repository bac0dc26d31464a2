SELECT greatest(3, 9, 4), least(temperature, pressure, 1), greatest(time, serviced), least(site, NULL), greatest(5) FROM works.sensors
