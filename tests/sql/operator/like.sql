SELECT site LIKE 'no%', site NOT LIKE '_a%', site LIKE 'a$%%' ESCAPE '$', site LIKE zone, site LIKE zone ESCAPE '!', site NOT LIKE zone ESCAPE machine
FROM works.sensors
