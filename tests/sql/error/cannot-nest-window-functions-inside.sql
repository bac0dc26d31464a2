SELECT sum(row_number() OVER ()) FROM works.sensors
