SELECT date(time), date('2024-05-17'), date(current_date), last_day_of_month(time), last_day_of_month(DATE '2024-02-01'), from_iso8601_timestamp('2024-05-17T10:00:00+02:00'), from_iso8601_timestamp(site),
       from_iso8601_date(site), to_iso8601(time), to_iso8601(current_date), from_milliseconds(cycles), from_nanoseconds(cycles), from_unixtime(temperature), to_milliseconds(time), to_milliseconds(time - serviced),
       to_nanoseconds(time), to_nanoseconds(1d), to_unixtime(time), date_trunc('month', time), date_trunc('WEEK', current_date), date_trunc('hour', current_time), date_trunc(site, time)
FROM works.sensors
