SELECT approx_distinct(machine), approx_distinct(machine, 0.1), approx_percentile(temperature, 0.9), approx_percentile(cycles, 0.5), approx_percentile(1, 0.5), approx_percentile(temperature, ARRAY[0.1, 0.9]),
       approx_percentile(cycles, 2, 0.5), approx_percentile(temperature, 1, ARRAY[0.5]), approx_percentile(3, ARRAY[0.5]), approx_percentile(cycles, 1, 0.5, 0.01)
FROM works.sensors
