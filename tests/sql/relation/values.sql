SELECT * FROM (VALUES (('x', 7)), (('y', 9.5))) AS v(tag, n), (VALUES 1, 2) w
