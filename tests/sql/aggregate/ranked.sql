SELECT max_by(temperature, time), min_by(site, time), max_by(site, time, 3), min_by(site, temperature, 2), max(temperature, 3), min(time, 2) FROM works.sensors GROUP BY machine
