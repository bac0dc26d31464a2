SELECT cycles + 1, cycles - 1, cycles * 2, cycles / 3, cycles % 4, temperature + cycles, temperature - 1, temperature * 2,
       temperature / 3, temperature % 4, 7 / x, -x, +x, x * x
FROM works.sensors, (VALUES 5) AS v(x)
