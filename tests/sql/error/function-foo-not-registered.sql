SELECT foo(1)
