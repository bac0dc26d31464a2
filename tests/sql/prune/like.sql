SELECT time FROM works.sensors WHERE machine LIKE 'press-%' AND site LIKE 'no_th' AND zone LIKE 'exact' AND measure_name LIKE '%x'
