SELECT nullif(1, 'x')
