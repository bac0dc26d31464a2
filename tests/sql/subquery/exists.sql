SELECT s.machine FROM works.sensors s WHERE EXISTS (SELECT * FROM works.lines l WHERE l.site = s.site) AND NOT EXISTS (SELECT 1 FROM works.bare b WHERE b.time = s.time)
