SELECT machine, max(time) AS time, max_by(pressure, time) AS latest FROM works.sensors
WHERE measure_name = 'state' AND zone = 'hall' AND time < from_milliseconds(1715900000000)
GROUP BY site, zone, machine ORDER BY machine, time DESC
