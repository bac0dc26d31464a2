SELECT if(1, 2)
