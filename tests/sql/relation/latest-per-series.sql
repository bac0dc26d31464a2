WITH newest AS (SELECT machine, max(time) AS at FROM works.sensors GROUP BY 1)
SELECT s.machine, s.measure_value::double, s.time FROM newest n JOIN works.sensors s ON s.time = n.at AND s.machine = n.machine ORDER BY machine
