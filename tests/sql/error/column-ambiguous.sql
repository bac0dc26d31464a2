SELECT time FROM works.sensors a JOIN works.lines b ON a.time = b.time
