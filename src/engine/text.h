/* engine/text.h - dates, times and intervals as text (query-api reference 7.3), written into memory the
 * caller has reserved.
 *
 * Every function writes at `to` and returns one past what it wrote; the constants say how much that can be.
 * The date and time forms agree with sql/timetext.h (a test compares them); they exist apart from it because
 * a result of many rows asks for little else: two digits at a time, and the last day remembered.
 */
#ifndef MR_ENGINE_TEXT_H
#define MR_ENGINE_TEXT_H

#include "base/base.h"

#define TEXT_U64_MAX 20
#define TEXT_DATE_MAX 14
#define TEXT_TIME_MAX 18
#define TEXT_TIMESTAMP_MAX (TEXT_DATE_MAX + 1 + TEXT_TIME_MAX)
#define TEXT_INTERVAL_MAX 32
#define TEXT_SCALAR_MAX 64 /* any of them, a double included */

/* The last date written. Starts zeroed. */
struct text_day {
    int64_t day;
    unsigned len; /* 0: none yet */
    char text[TEXT_DATE_MAX];
};

char *text_date(char *to, int64_t days, struct text_day *memo);
char *text_time(char *to, int64_t ns_of_day);
char *text_timestamp(char *to, int64_t ns, struct text_day *memo);
char *text_interval_day(char *to, int64_t ns);
char *text_interval_year(char *to, int64_t months);

#endif
