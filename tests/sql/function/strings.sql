SELECT chr(66), codepoint('B'), concat(site, zone, 'x'), hamming_distance(site, zone), length(site), levenshtein_distance(site, zone), lower(site), lpad(site, 8, '.'), ltrim(site),
       replace(site, 'a'), replace(site, 'a', 'b'), reverse(site), rpad(site, 8, '.'), rtrim(site), split(site, '-'), split(site, '-', 2), split_part(site, '-', 1),
       strpos(site, 'a'), strpos(site, 'a', 2), strrpos(site, 'a'), strrpos(site, 'a', 2), position('a' IN site), substr(site, 2), substr(site, 2, 3), substring(site, -1), trim(site), Upper(site)
FROM works.sensors
