SELECT * FROM works.sensors JOIN works.lines USING (machine)
