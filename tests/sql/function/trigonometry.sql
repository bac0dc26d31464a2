SELECT acos(temperature), asin(temperature), atan(temperature), atan2(temperature, pressure), cos(0), cosh(1), sin(0), tan(1), tanh(1), infinity(), nan(),
       is_finite(temperature), is_infinite(temperature), is_nan(temperature)
FROM works.sensors
