SELECT row_number() OVER (ORDER BY rank() OVER ())
