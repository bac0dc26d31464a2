/* engine/format.h - what date formats by pattern share: fields of an instant, and reading them. Private to
 * engine/.
 *
 * A pattern is interpreted anew for each row; it is short, and the row's text decides how far it gets.
 */
#ifndef MR_ENGINE_FORMAT_H
#define MR_ENGINE_FORMAT_H

#include "base/base.h"

/* An instant taken apart, to be printed. */
struct format_parts {
    int64_t year, week_year;
    unsigned month, day, day_of_year, week, weekday; /* weekday: Monday 1 .. Sunday 7 */
    unsigned hour, minute, second, ns;
};
void format_take_apart(int64_t ts, struct format_parts *out);

/* A text being read: `at` stops where reading failed. */
struct format_input {
    struct mr_str text;
    size_t at;
    /* what was read; a missing field has its default */
    int64_t year, week_year, century;
    int64_t month, day, day_of_year, week, weekday;
    int64_t hour, hour12, minute, second, ns, offset; /* offset: seconds east of UTC */
    bool has_year, has_week_year, has_month, has_day, has_day_of_year, has_week, has_weekday, has_hour12,
        has_half, pm, bc;
};
void format_input_init(struct format_input *in, struct mr_str text);

/* Each reads at `at` and moves it; false leaves it where the offending text begins. */
bool format_read_number(struct format_input *in, unsigned max_digits, bool sign, int64_t *out);
bool format_read_literal(struct format_input *in, struct mr_str literal); /* any case */
bool format_read_month_name(struct format_input *in); /* short or long, any case; so all names */
bool format_read_weekday_name(struct format_input *in);
bool format_read_half(struct format_input *in); /* AM, PM */
bool format_read_fraction(struct format_input *in, unsigned max_digits);
bool format_read_zone(struct format_input *in);           /* Z, UTC, EST, +hh[[:]mm], ... */
bool format_read_two_digit_year(struct format_input *in); /* exactly two digits: 1970-2069 */

/* The instant of what was read. False: a field is outside its range, or the instant is. */
bool format_resolve(const struct format_input *in, int64_t *out);

extern const char *const format_months[12],
    *const format_weekdays[7]; /* full; the first three letters are short */

/* Both: the text, appended, or false with *bad naming what in the pattern is wrong. */
bool format_mysql_print(int64_t ts, struct mr_str pattern, struct mr_buf *out, struct mr_str *bad);
bool format_joda_print(int64_t ts, struct mr_str pattern, struct mr_buf *out, struct mr_str *bad);

enum format_result { FORMAT_OK, FORMAT_BAD_PATTERN, FORMAT_BAD_TEXT };
/* FORMAT_BAD_TEXT: in->at says where. FORMAT_BAD_PATTERN: *bad says what. */
enum format_result format_mysql_read(struct format_input *in, struct mr_str pattern, struct mr_str *bad);
enum format_result format_joda_read(struct format_input *in, struct mr_str pattern, struct mr_str *bad);

#endif
