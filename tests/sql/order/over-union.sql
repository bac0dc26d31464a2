SELECT site FROM works.sensors UNION ALL SELECT line FROM works.lines ORDER BY length(site), site DESC LIMIT 3 OFFSET 1
