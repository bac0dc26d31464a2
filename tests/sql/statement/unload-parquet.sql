unload (select site from works.sensors) to 's3://archive/a/b/' with (FORMAT = 'PARQUET', max_file_size = '0.5GB')
