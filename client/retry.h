/* client/retry.h - which failures are worth another attempt, and how long to wait before it.
 *
 * Retried are throttling, 5xx, RequestTimeout, and connections that failed or broke (write-api
 * reference 1.5, 11.3); not retried is everything that would fail again. A lost answer leaves it open whether
 * the request was carried out; the API makes the repetition safe for WriteRecords (equal versions) and Query
 * (client token), and a repeated create may answer ConflictException, with this client as with every SDK.
 *
 * The pause before attempt n+1 is drawn evenly from [0, min(20 s, base * 2^n)], base 100 ms, 500 ms for
 * throttling
 * ("full jitter": clients that failed together do not come back together).
 */
#ifndef MR_CLIENT_RETRY_H
#define MR_CLIENT_RETRY_H

#include "base/rand.h"
#include "millrace.h"

enum retry_class {
    RETRY_NEVER,
    RETRY_SOON,     /* transient */
    RETRY_SLOWER,   /* throttled */
    RETRY_DISCOVER, /* the endpoint does not serve this account any more: rediscover, then at once */
    RETRY_TOKEN,    /* the session token has expired: fetch another, then at once */
    RETRY_CLOCK,    /* the signature's date was refused: correct the clock, then at once */
};

/* error is enum mr_err; status and code are those of the answer, if there was one. */
enum retry_class client_retry_classify(int error, int http_status, const char *code);

#define RETRY_CAP_NS (20 * INT64_C(1000000000))

/* attempt counts from 1: the one that has just failed. */
int64_t client_retry_pause_ns(enum retry_class class_, int attempt, struct mr_rng *rng);

#endif
