SELECT a.site, b.cycles FROM works.sensors AS a FULL JOIN works.sensors AS b ON b.time = a.time AND EXISTS (SELECT 1 FROM works.sensors AS c WHERE c.time = a.time AND c.site = b.site)
