/* json/write.h - appends JSON to a buffer. Failure is the buffer's (mr_buf_ok). Thread-safe on different
 * buffers. */
#ifndef MR_JSON_WRITE_H
#define MR_JSON_WRITE_H

#include "base/base.h"

/* A string with its quotes. Escaped are quote, backslash and the characters below 0x20 (\b \f \n \r \t,
 * others \u00XX), nothing else. The bytes must be UTF-8; they are not checked. */
void json_write_string(struct mr_buf *buf, struct mr_str s);
/* The same without quotes. */
void json_write_escaped(struct mr_buf *buf, struct mr_str s);

void json_write_i64(struct mr_buf *buf, int64_t v);
/* The shortest text that reads back the same; null for NaN and infinities, which JSON cannot say. */
void json_write_double(struct mr_buf *buf, double v);
/* As Java's Double.toString (json/number.h), without quotes, NaN and Infinity as these words. */
void json_write_java_double(struct mr_buf *buf, double v);

#endif
