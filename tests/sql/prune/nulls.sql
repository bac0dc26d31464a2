SELECT time FROM works.sensors WHERE zone IS NULL AND machine IS NOT NULL
