SELECT site, measure_name, count(*) FROM works.sensors
GROUP BY DISTINCT ROLLUP (site, measure_name), CUBE (measure_name, site)
