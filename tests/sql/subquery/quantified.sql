SELECT 8 < ALL (VALUES 11, 6), temperature = ANY (SELECT speed FROM works.lines), 40 >= SOME (VALUES 90, 38) FROM works.sensors
