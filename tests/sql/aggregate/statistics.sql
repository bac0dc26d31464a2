SELECT stddev(temperature), stddev_pop(temperature), stddev_samp(cycles), variance(temperature), var_pop(temperature), var_samp(temperature), corr(temperature, pressure), covar_pop(temperature, pressure),
       covar_samp(temperature, cycles), regr_slope(temperature, pressure), regr_intercept(temperature, pressure), skewness(temperature), geometric_mean(temperature)
FROM works.sensors
