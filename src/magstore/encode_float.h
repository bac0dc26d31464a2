/* magstore/encode_float.h - the encoding of doubles that are no decimals; encode_double.c chooses it. */
#ifndef MR_MAGSTORE_ENCODE_FLOAT_H
#define MR_MAGSTORE_ENCODE_FLOAT_H

#include "magstore/scratch.h"

/* n > 0. Uses all of the scratch. */
int magstore_encode_float(struct magstore_scratch *s, const double *values, size_t n, struct mr_buf *out);
int magstore_decode_float(struct magstore_scratch *s, struct mr_cursor *c, double *values, size_t n);

#endif
