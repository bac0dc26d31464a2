SELECT extract(century FROM now())
