SELECT s."site", "s".machine, MACHINE, q."a b", time AS date, temperature value FROM "works".sensors s CROSS JOIN (SELECT 1 AS "a b") q
