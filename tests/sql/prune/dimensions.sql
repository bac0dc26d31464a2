SELECT time FROM works.sensors WHERE site = 'north' AND 'm1' <> machine AND zone IN ('a', 'b', NULL) AND measure_name NOT IN ('x', 'y')
