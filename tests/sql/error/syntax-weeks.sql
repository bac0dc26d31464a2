SELECT 4weeks
