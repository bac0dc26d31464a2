SELECT typeof(1), typeof(1d), typeof(time), typeof(ARRAY[ROW(1, 'a')]), typeof(NULL), typeof(create_time_series(time, cycles)) FROM works.sensors GROUP BY time
