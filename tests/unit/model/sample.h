/* tests/unit/model/sample.h - valid JSON for any shape, made from the tables. */
#ifndef MR_TESTS_MODEL_SAMPLE_H
#define MR_TESTS_MODEL_SAMPLE_H

#include "model/table.h"

/* Appends an object with every member of the shape, in the order of the model, as model_encode would write
 * it. Recursive shapes end at `depth` levels. */
void sample_object(struct mr_buf *out, const struct model_shape *shape, int depth);

/* Appends one value for the member. */
void sample_value(struct mr_buf *out, const struct model_member *m, int depth);

/* Text of `length` characters that the member's pattern takes (if the pattern takes that length at all). */
void sample_text(struct mr_buf *out, const struct model_member *m, size_t length);

#endif
