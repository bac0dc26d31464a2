UNLOAD (SELECT NULL AS t FROM works.sensors) TO 's3://archive/x'
