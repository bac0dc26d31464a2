WITH a AS (SELECT bin(time, 1m) AS slot, site FROM works.sensors), b AS (SELECT * FROM a WHERE slot > ago(1h)) SELECT slot FROM b WHERE site = 'north'
