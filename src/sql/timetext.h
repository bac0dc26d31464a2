/* sql/timetext.h - texts of times, dates and intervals, both ways.
 *
 * The accepted forms are those of query-language reference 1.5, 1.6 and 3.2; the printed ones those of
 * section 3. Used by the binder for constants and by the engine for rows. The parsers take the whole text or
 * nothing, refuse what leaves the range of its type, and never read past the view. No state.
 */
#ifndef MR_SQL_TIMETEXT_H
#define MR_SQL_TIMETEXT_H

#include "sql/calendar.h"

/* YYYY-MM-DD[( |T)HH:MM[:SS[.f{1,9}]][zone]], zone: [blank] Z | UTC | (+|-)HH[:]MM. Result in UTC. */
bool sql_parse_timestamp(struct mr_str text, int64_t *out);
bool sql_parse_date(struct mr_str text, int32_t *out); /* YYYY-MM-DD, one-digit month and day allowed */
bool sql_parse_time(struct mr_str text, int64_t *out); /* H[H]:MM[:SS[.f{1,9}]] */
bool sql_parse_iso_timestamp(struct mr_str text,
                             int64_t *out); /* date, or date T time [zone]; the ISO dates below */
bool sql_parse_iso_date(struct mr_str text,
                        int32_t *out); /* 2023-03-09, 2023-03, 2023, 2023-W10[-4], 2023-068 */

enum sql_duration { SQL_DURATION_OK, SQL_DURATION_BAD_FORM, SQL_DURATION_BAD_UNIT };
/* number [blanks] unit, as in 12.5ms or 1 day. Day-to-second units give ns. Month and year give *months true
 * and a count of months. *unit views the unit's text. */
enum sql_duration sql_parse_duration(struct mr_str text, bool *months, int64_t *value, struct mr_str *unit);

#define SQL_TIME_TEXT 48 /* bytes any of the texts needs, NUL included */
/* Each writes a NUL-terminated text and returns its length. */
size_t sql_print_timestamp(int64_t ns, char out[SQL_TIME_TEXT]);
size_t sql_print_iso_timestamp(int64_t ns, char out[SQL_TIME_TEXT]);
size_t sql_print_date(int32_t days, char out[SQL_TIME_TEXT]);
size_t sql_print_time(int64_t ns, char out[SQL_TIME_TEXT]);
size_t sql_print_interval_day(int64_t ns, char out[SQL_TIME_TEXT]);
size_t sql_print_interval_year(int32_t months, char out[SQL_TIME_TEXT]);

#endif
