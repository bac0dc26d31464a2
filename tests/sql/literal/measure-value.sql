SELECT s.measure_value::double, measure_value :: BIGINT, "measure_value::varchar", Measure_Value::boolean AS b
FROM works.sensors s
ORDER BY time, measure_value::double
