SELECT s.oil FROM works.sensors s
