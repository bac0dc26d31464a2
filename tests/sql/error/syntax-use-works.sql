USE works
