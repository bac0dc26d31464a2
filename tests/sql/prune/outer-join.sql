SELECT 1 FROM works.sensors s LEFT JOIN works.lines l ON s.site = l.site AND l.line = 'a' AND s.zone = 'b' WHERE s.time > ago(1h) AND l.time > ago(2h) AND l.measure_name IS NULL AND s.machine IS NULL
