TABLE works.bare
