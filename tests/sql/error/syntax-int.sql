SELECT a::int
