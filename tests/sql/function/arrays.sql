SELECT array_distinct(ARRAY[5, 8, 5]), array_intersect(ARRAY[1, 2], ARRAY[2]), array_union(ARRAY[1], ARRAY[2]), array_except(ARRAY[1, 2], ARRAY[2]), array_join(ARRAY[1, NULL], '-'),
       array_join(ARRAY['a', NULL], '-', '?'), array_max(ARRAY[1, 2]), array_min(ARRAY[1.5, 2]), array_position(ARRAY[7, 8], 8), array_remove(ARRAY[7, 8], 8), array_sort(ARRAY[3, 1]),
       arrays_overlap(ARRAY[1], ARRAY[1, 2]), cardinality(ARRAY[1]), element_at(ARRAY[1, 2], -1), repeat(site, 3), reverse(ARRAY[1, 2]), slice(ARRAY[1, 2, 3], 2, 2), zip(ARRAY[1], ARRAY['a', 'b'])
FROM works.sensors
