SELECT ago(5)
