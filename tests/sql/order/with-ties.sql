SELECT site, max(time) FROM works.sensors GROUP BY site ORDER BY count(*) DESC, 1 OFFSET 2 FETCH NEXT 3 ROWS WITH TIES
