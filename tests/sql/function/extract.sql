SELECT extract(YEAR FROM time), extract(dow FROM '2024-05-17'), day(time), day(current_date), day(1d), day_of_month(time), day_of_week(time), dow(current_date), day_of_year(time), doy(current_date), hour(time),
       hour(current_time), hour(1d), millisecond(time), minute(1h), month(time), month(2y), nanosecond(time), quarter(time), second(time), week(time), week_of_year(current_date), year(time), year(3y), year_of_week(time), yow(time)
FROM works.sensors
