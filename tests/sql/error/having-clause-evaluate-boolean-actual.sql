SELECT site FROM works.sensors HAVING 1
