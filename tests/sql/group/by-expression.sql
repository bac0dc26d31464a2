SELECT upper(site) || '!', bin(time, 1h) + 1s, count(*) FROM works.sensors GROUP BY upper(site), bin(time, 1h) ORDER BY bin(time, 1h), max(time)
