UNLOAD (SELECT site FROM works.sensors) TO 's3://bucket/x' WITH (format = 'CSV')
