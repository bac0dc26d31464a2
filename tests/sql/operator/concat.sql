SELECT site || '-' || zone || machine, ARRAY[1] || ARRAY[2.5], ARRAY[1] || 2 || NULL, 0 || ARRAY[1], concat(ARRAY[1], ARRAY[2], ARRAY[3])
FROM works.sensors
