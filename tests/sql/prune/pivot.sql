SELECT zone, bin(time, 10m) AS slot, avg(CASE WHEN measure_name = 'oil' THEN measure_value::double ELSE NULL END) AS oil
FROM works.sensors WHERE (measure_name = 'oil') AND (machine = 'm7') AND time BETWEEN bin(now(), 10m) - 6h AND bin(now(), 10m) - 20m
GROUP BY zone, bin(time, 10m)
