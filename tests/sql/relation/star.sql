SELECT b.*, 1 AS one, * FROM works.bare b
