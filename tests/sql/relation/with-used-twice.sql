WITH recent AS (SELECT machine, time, temperature FROM works.sensors WHERE time > ago(1d))
SELECT a.machine FROM recent a JOIN recent b ON a.time = b.time WHERE a.machine = 'm1'
