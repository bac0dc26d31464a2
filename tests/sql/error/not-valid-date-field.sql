SELECT date_add('hour', 1, current_date)
