UNLOAD (SELECT time, measure_name, site FROM works.sensors WHERE time > ago(1d)) TO 's3://archive/daily/works'
