SELECT ago('2h')
