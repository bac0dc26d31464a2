-- one
/* two
 three */ SELECT !
