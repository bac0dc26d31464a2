/* magstore/press.h - whole runs of bytes made smaller (one zstd frame each), for what is not a column.
 *
 * Thread-safety: a press has one owner at a time.
 */
#ifndef MR_MAGSTORE_PRESS_H
#define MR_MAGSTORE_PRESS_H

#include "base/base.h"

struct magstore_press;
int magstore_press_new(struct magstore_press **out);    /* MR_ENOMEM */
void magstore_press_free(struct magstore_press *press); /* NULL is fine */

/* Appends the bytes, compressed. MR_ENOMEM. */
int magstore_press_pack(struct magstore_press *press, struct mr_str bytes, struct mr_buf *out);
/* Writes exactly `len` bytes to `to`; false when the frame holds anything else. */
bool magstore_press_unpack(struct magstore_press *press, struct mr_str packed, void *to,
                           size_t len) MR_MUST_USE;

#endif
