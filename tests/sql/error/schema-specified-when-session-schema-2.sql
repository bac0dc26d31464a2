SELECT * FROM "works.sensors"
