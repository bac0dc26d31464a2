SELECT a.time FROM works.bare a JOIN (works.bare b CROSS JOIN works.bare c) ON a.time = c.time, (works.bare) d
