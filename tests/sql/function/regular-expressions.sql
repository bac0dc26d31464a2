SELECT regexp_extract_all(site, '\d+'), regexp_extract_all(site, '([a-z]+)', 1), regexp_extract(site, '\d+'), regexp_extract(site, '(\d)(\d)', 2), NOT REGEXP_LIKE(site, '^a'),
       regexp_replace(site, ' '), regexp_replace(site, '(a)', '<$1>'), regexp_split(site, '-')
FROM works.sensors
