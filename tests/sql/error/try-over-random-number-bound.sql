SELECT try(1 / random(3))
