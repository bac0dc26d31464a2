SELECT time + 1h AS time, site AS machine FROM works.sensors ORDER BY time, machine, sensors.machine LIMIT 0
