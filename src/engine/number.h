/* engine/number.h - doubles in Java's form and JSON string escapes. Private to engine/. */
#ifndef MR_ENGINE_NUMBER_H
#define MR_ENGINE_NUMBER_H

#include "base/base.h"

#define NUMBER_DOUBLE_MAX 32

/* At most NUMBER_DOUBLE_MAX bytes; returns one past the last. */
char *number_java_double(char *to, double v);
/* Appends the inside of a JSON string. */
void number_json_escape(struct mr_str s, struct mr_buf *out);

#endif
