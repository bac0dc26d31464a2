SELECT site value, time date, zone limit FROM works.sensors DESC LIMIT 4
