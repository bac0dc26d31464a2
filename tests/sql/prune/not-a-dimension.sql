SELECT time FROM works.sensors WHERE status = 'ok' AND temperature > 3 AND NOT (site = 'x')
