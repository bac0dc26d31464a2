SELECT * FROM works.sensors NATURAL JOIN works.lines
