SELECT if(true)
