UNLOAD (SELECT time, measure_name, site FROM works.sensors)
TO 's3://archive'
WITH (partitioned_by = ARRAY['measure_name', 'site'], format = 'CSV', compression = 'NONE', encryption = 'SSE_KMS',
      kms_key = 'alias/works', field_delimiter = '|', escaped_by = '"', include_header = 'true', max_file_size = '24.5MB')
