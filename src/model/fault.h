/* model/fault.h - every way a request can fail, in AWS's names, with its status and namespace: the one table.
 *
 * A fault is what the wire shows. Inner rooms return enum mr_status; whoever knows what it means to the
 * caller turns it into a fault.
 */
#ifndef MR_MODEL_FAULT_H
#define MR_MODEL_FAULT_H

#include "base/base.h"

enum model_error {
    MODEL_NO_ERROR = 0,
    /* declared by the service: namespace com.amazonaws.timestream.v20181101 (write-api reference 1.5) */
    MODEL_VALIDATION,       /* 400 ValidationException */
    MODEL_ACCESS_DENIED,    /* 403 AccessDeniedException */
    MODEL_NOT_FOUND,        /* 404 ResourceNotFoundException */
    MODEL_CONFLICT,         /* 409 ConflictException */
    MODEL_QUOTA,            /* 402 ServiceQuotaExceededException */
    MODEL_REJECTED_RECORDS, /* 419 RejectedRecordsException */
    MODEL_INVALID_ENDPOINT, /* 421 InvalidEndpointException */
    MODEL_THROTTLING,       /* 429 ThrottlingException */
    MODEL_INTERNAL,         /* 500 InternalServerException */
    MODEL_QUERY_EXECUTION,  /* 400 QueryExecutionException (Query API) */
    /* a model constraint failed: namespace com.amazon.coral.validate (1.7) */
    MODEL_CONSTRAINT, /* 400 ValidationException */
    /* the front door: namespace com.amazon.coral.service (1.6, 2.4) */
    MODEL_UNKNOWN_OPERATION,    /* 404 UnknownOperationException, no message */
    MODEL_SERIALIZATION,        /* 400 SerializationException */
    MODEL_MISSING_TOKEN,        /* 403 MissingAuthenticationTokenException */
    MODEL_INCOMPLETE_SIGNATURE, /* 403 IncompleteSignatureException */
    MODEL_INVALID_SIGNATURE,    /* 403 InvalidSignatureException */
    MODEL_UNRECOGNIZED_CLIENT,  /* 403 UnrecognizedClientException */
    MODEL_EXPIRED_TOKEN,        /* 403 ExpiredTokenException */
    MODEL_TOO_LARGE,            /* 413 RequestEntityTooLargeException */
    MODEL_MALFORMED,            /* 400 MalformedHttpRequestException */
    MODEL_TIMEOUT,              /* 408 RequestTimeoutException */
    MODEL_UNAVAILABLE,          /* 503 ServiceUnavailable */
    MODEL_ERROR_COUNT
};

struct model_error_info {
    enum model_error error;
    unsigned status;
    const char *name;       /* bare, e.g. "ValidationException" */
    const char *namespace_; /* e.g. "com.amazonaws.timestream.v20181101" */
};

/* The row of the table; never NULL for a valid value. */
const struct model_error_info *model_error_info(enum model_error error);
/* By bare name (as auth reports failures), within the front door's namespace; MODEL_INTERNAL when unknown. */
enum model_error model_error_by_name(const char *name);

/* A fault on its way to the client. The message is in the request's arena or static; MR_STR_NULL for none. */
struct model_fault {
    enum model_error error;
    struct mr_str message;
    struct mr_str
        extra; /* JSON members to stand before "message", e.g. "\"RejectedRecords\":[...]"; or MR_STR_NULL */
};

/* Sets the fault and returns MR_EINVAL, so that `return model_fail(...)` reads well. The first fault stays.
 */
int model_fail(struct model_fault *fault, enum model_error error, struct mr_arena *arena, const char *fmt,
               ...) MR_PRINTF(4, 5);

/* The body {"__type":"ns#Name",...,"message":"..."} of reference 1.4 and 1.6. */
void model_fault_body(const struct model_fault *fault, struct mr_buf *out);

#endif
