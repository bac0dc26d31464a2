SELECT count(* FROM works.sensors
