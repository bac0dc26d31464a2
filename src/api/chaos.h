/* api/chaos.h - faults on purpose, for teams that test their clients' retries against this server.
 *
 *     OPERATION:KIND=P[,KIND=P...][;OPERATION:...][;seed=N][;skew=SECONDS]
 *
 *     throttle=P    ThrottlingException instead of doing anything
 *     fail=P        InternalServerException (500) or, every other time, ServiceUnavailable (503), before
 * anything is done delay=P@MS    the call waits that long first (at most 60000 ms) reject=P WriteRecords:
 * each record is refused with this probability, the others are written (419) empty=P       Query: a page
 * without rows and with a NextToken, at once; the rows come with a later page skew=SECONDS  signatures and
 * the Date header go by a clock that is that much ahead (or, negative, behind)
 *
 * OPERATION is a name of the API or *; the first group that names an operation counts, else that of *. P is 0
 * to 1. Chance is a seeded generator, so that a run of one client can be repeated. The root key is not
 * spared; only the admin door is. Everything it touches says so: a header x-millrace-chaos, a metric, a log
 * line at each change. Thread-safe.
 */
#ifndef MR_API_CHAOS_H
#define MR_API_CHAOS_H

#include "base/base.h"
#include "model/model.h"

#define CHAOS_MAX_TEXT 2048
#define CHAOS_MAX_GROUPS 32

struct api_chaos;

enum api_chaos_kind { CHAOS_THROTTLE, CHAOS_FAIL, CHAOS_DELAY, CHAOS_REJECT, CHAOS_EMPTY, CHAOS_KINDS };

/* What is to happen to a call. */
struct api_chaos_fate {
    bool throttle, fail, unavailable, empty;
    int64_t delay_ns; /* 0: none */
};

int api_chaos_new(struct api_chaos **out);
void api_chaos_free(struct api_chaos *chaos); /* NULL is fine */
/* Replaces all that was set; an empty text ends it. MR_EINVAL with a text, and what was set stays. */
int api_chaos_set(struct api_chaos *chaos, struct mr_str text, struct mr_error *err);
/* The text as it was set last. */
void api_chaos_text(struct api_chaos *chaos, struct mr_buf *out);
bool api_chaos_on(const struct api_chaos *chaos);
int64_t api_chaos_skew_ns(const struct api_chaos *chaos);

/* Draws for one call and counts what comes. */
struct api_chaos_fate api_chaos_draw(struct api_chaos *chaos, enum model_op op);
/* Draws for one record of WriteRecords. */
bool api_chaos_rejects(struct api_chaos *chaos);
uint64_t api_chaos_count(const struct api_chaos *chaos, enum api_chaos_kind kind);
const char *api_chaos_name(enum api_chaos_kind kind);

#endif
