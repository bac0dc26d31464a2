DESCRIBE works.nope
