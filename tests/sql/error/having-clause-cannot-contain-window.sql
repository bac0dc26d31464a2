SELECT site FROM works.sensors GROUP BY site HAVING row_number() OVER () = 1
