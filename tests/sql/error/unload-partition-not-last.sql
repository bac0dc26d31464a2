UNLOAD (SELECT site, measure_name FROM works.sensors) TO 's3://archive/x' WITH (partitioned_by = ARRAY['site'])
