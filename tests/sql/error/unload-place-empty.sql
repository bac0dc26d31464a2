UNLOAD (SELECT site FROM works.sensors) TO 's3:///x'
