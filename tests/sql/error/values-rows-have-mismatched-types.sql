VALUES 1, 'x'
