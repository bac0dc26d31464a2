SELECT array_sort(NULL), element_at(array_remove(ARRAY[1, 3], NULL), 1), reduce(array_remove(ARRAY[1], NULL), 0.0, (s, x) -> s + x, s -> s), split(site, '-')[NULL], array_agg(zone)[length(NULL)],
       slice(NULL, 1, 2), array_max(NULL) FROM works.sensors GROUP BY site
