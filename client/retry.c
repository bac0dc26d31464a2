#include "client/retry.h"

static bool one_of(const char *code, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(code, list[i]) == 0)
            return true;
    return false;
}

static enum retry_class classify_answer(int status, const char *code)
{
    static const char *const throttling[] = {"ThrottlingException",
                                             "Throttling",
                                             "TooManyRequestsException",
                                             "RequestLimitExceeded",
                                             "SlowDown",
                                             "RequestThrottled",
                                             "RequestThrottledException",
                                             "ProvisionedThroughputExceededException"};
    static const char *const transient[] = {
        "InternalServerException",     "InternalServerError", "InternalFailure",        "ServiceUnavailable",
        "ServiceUnavailableException", "RequestTimeout",      "RequestTimeoutException"};
    static const char *const expired[] = {"ExpiredTokenException", "ExpiredToken"};
    static const char *const dated[] = {"InvalidSignatureException", "SignatureDoesNotMatch",
                                        "RequestTimeTooSkewed",      "RequestExpired",
                                        "RequestInTheFuture",        "SignatureExpired"};
    if (status == 421 || strcmp(code, "InvalidEndpointException") == 0)
        return RETRY_DISCOVER;
    if (status == 429 || one_of(code, throttling, MR_ARRAY_LEN(throttling)))
        return RETRY_SLOWER;
    if (status == 500 || status == 502 || status == 503 || status == 504 || status == 408 ||
        one_of(code, transient, MR_ARRAY_LEN(transient)))
        return RETRY_SOON;
    if (one_of(code, expired, MR_ARRAY_LEN(expired)))
        return RETRY_TOKEN;
    if (one_of(code, dated, MR_ARRAY_LEN(dated)))
        return RETRY_CLOCK;
    return RETRY_NEVER;
}

enum retry_class client_retry_classify(int error, int http_status, const char *code)
{
    switch (error) {
    case MR_ERR_NETWORK:
    case MR_ERR_TIMEOUT:
        return RETRY_SOON;
    case MR_ERR_ANSWER: /* a gateway's 502 page is no answer of the API, and passes */
        return http_status >= 500 && http_status != 501 ? RETRY_SOON : RETRY_NEVER;
    case MR_ERR_SERVICE:
        return classify_answer(http_status, code);
    default:
        return RETRY_NEVER;
    }
}

int64_t client_retry_pause_ns(enum retry_class class_, int attempt, struct mr_rng *rng)
{
    if (class_ != RETRY_SOON && class_ != RETRY_SLOWER)
        return 0;
    int64_t most = class_ == RETRY_SLOWER ? 500000000 : 100000000;
    for (int i = 0; i < attempt && most < RETRY_CAP_NS; i++)
        most *= 2;
    if (most > RETRY_CAP_NS)
        most = RETRY_CAP_NS;
    return (int64_t)mr_rng_below(rng, (uint64_t)most + 1);
}
