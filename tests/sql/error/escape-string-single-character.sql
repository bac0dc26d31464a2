SELECT 'a' LIKE 'a' ESCAPE 'xx'
