SELECT * FROM works.sensors a JOIN works.lines b
