SELECT CASE site WHEN 1 THEN 1 END FROM works.sensors
