/* json/number.h - decimal text and doubles, correctly rounded both ways, whatever the locale. Thread-safe. */
#ifndef MR_JSON_NUMBER_H
#define MR_JSON_NUMBER_H

#include "base/base.h"

/* The nearest double of the whole view: an optional sign, digits with an optional point (on either side of
 * which digits may be missing, not both), an optional exponent. false for anything else - blanks,
 * hexadecimal, "inf", "nan", suffixes, nothing - and for values beyond the range. What is too small to tell
 * from 0 is 0. */
bool json_parse_double(struct mr_str text, double *out);

#define JSON_NUMBER_MAX 32 /* bytes to hand in for `out` below; not all are used */

/* The shortest text that reads back as the same double, as JSON ("1e+22", "0.1", "100"). Finite only. Returns
 * the length; not NUL-terminated. */
size_t json_format_double(double v, char *out);

/* As Java's Double.toString since 19 writes it (query-language reference 3.5): "100.0", "1.0E-4", "-0.0",
 * "NaN", "Infinity". Finite ones are JSON too. */
size_t json_format_java_double(double v, char *out);

size_t json_format_i64(int64_t v, char *out);

#endif
