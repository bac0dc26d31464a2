SELECT running AND 1d FROM works.sensors
