SELECT DATE '2024-01-31' + 1month, TIMESTAMP '2024-01-31 08:00' + 1month, now() - 100y, 2m + 75ns, 3 * 1d, ago(90m), ago (1h) - 1s
