UNLOAD (SELECT site FROM works.sensors) TO 'file:///tmp'
