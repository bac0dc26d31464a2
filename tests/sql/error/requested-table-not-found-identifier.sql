SELECT * FROM works.nope
