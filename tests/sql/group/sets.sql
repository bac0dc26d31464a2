SELECT site, zone, grouping(site, zone), count(*) FROM works.sensors GROUP BY GROUPING SETS ((site, zone), site, ())
