INSERT INTO works.sensors VALUES (1)
