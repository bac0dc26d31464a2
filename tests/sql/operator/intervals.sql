SELECT i + 1h, i - 1h, i * 2, 2 * i, i * 1.5, i / 2, -i, y + 1month, y - 1y, y * 3, 0.5 * y, y / 2, -y
FROM (VALUES (1d, 2y)) AS v(i, y)
