SELECT - 'x'
