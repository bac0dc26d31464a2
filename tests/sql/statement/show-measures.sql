SHOW MEASURES IN works.sensors LIKE 't%'
