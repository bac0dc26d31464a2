SELECT count(DISTINCT machine), sum(DISTINCT cycles), count(*) FILTER (WHERE running), avg(temperature) FILTER (WHERE zone = 'a' AND running), array_agg(machine ORDER BY time DESC, zone NULLS FIRST),
       array_agg(DISTINCT site ORDER BY site)
FROM works.sensors
