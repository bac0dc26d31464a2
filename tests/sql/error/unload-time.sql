UNLOAD (SELECT cast(time AS time) AS t FROM works.sensors) TO 's3://archive/x'
