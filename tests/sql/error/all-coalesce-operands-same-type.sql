SELECT coalesce(1, 'x')
