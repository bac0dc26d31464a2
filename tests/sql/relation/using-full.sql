SELECT site, l.line, s.zone FROM works.sensors s FULL JOIN works.lines l USING (site)
