SELECT now() + now()
