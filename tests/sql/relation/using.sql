SELECT * FROM works.bare a JOIN works.bare b USING (time)
