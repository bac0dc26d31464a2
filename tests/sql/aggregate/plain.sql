SELECT arbitrary(site), avg(temperature), avg(cycles), bool_and(running), every(running), bool_or(running), count(*), count(site), count_if(running), max(time), min(site), sum(cycles), sum(temperature), sum(1),
       bitwise_and_agg(cycles), bitwise_or_agg(cycles), array_agg(zone), sum(time - serviced), avg(time - serviced)
FROM works.sensors
