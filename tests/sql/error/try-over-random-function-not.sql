SELECT try(rand())
