SELECT a AND b OR NOT c, NOT NOT a, a OR b OR c OR NULL, (a AND b) = c, a IS NULL, b IS NOT NULL
FROM (VALUES (true, false, NULL)) AS v(a, b, c)
