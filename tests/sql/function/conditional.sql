SELECT if(running, 'on', 'off'), if(cycles > 3, 1), coalesce(NULL, zone, site), coalesce(temperature, cycles, 1), nullif(site, 'x'), nullif(cycles, 1.5),
       nullif(cycles + 1, 2.5), try(cycles / 0), try(site), CASE WHEN running THEN 1 ELSE 2.5 END, CASE site WHEN 'a' THEN 1 WHEN 'b' THEN 2 END
FROM works.sensors
