SELECT now(), current_timestamp, current_date, current_time, localtime, localtimestamp, current_timezone(), ago(1d), ago(2y)
