SELECT site FROM works.sensors ORDER BY temperature, pressure DESC, zone NULLS FIRST, machine DESC NULLS LAST, 5 + 1 LIMIT 10
