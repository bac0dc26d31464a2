#include "model/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "json/write.h"

#define SERVICE "com.amazonaws.timestream.v20181101"
#define VALIDATE "com.amazon.coral.validate"
#define DOOR "com.amazon.coral.service"

static const struct model_error_info table[] = {
    {MODEL_NO_ERROR, 200, "", ""},
    {MODEL_VALIDATION, 400, "ValidationException", SERVICE},
    {MODEL_ACCESS_DENIED, 403, "AccessDeniedException", SERVICE},
    {MODEL_NOT_FOUND, 404, "ResourceNotFoundException", SERVICE},
    {MODEL_CONFLICT, 409, "ConflictException", SERVICE},
    {MODEL_QUOTA, 402, "ServiceQuotaExceededException", SERVICE},
    {MODEL_REJECTED_RECORDS, 419, "RejectedRecordsException", SERVICE},
    {MODEL_INVALID_ENDPOINT, 421, "InvalidEndpointException", SERVICE},
    {MODEL_THROTTLING, 429, "ThrottlingException", SERVICE},
    {MODEL_INTERNAL, 500, "InternalServerException", SERVICE},
    {MODEL_QUERY_EXECUTION, 400, "QueryExecutionException", SERVICE},
    {MODEL_CONSTRAINT, 400, "ValidationException", VALIDATE},
    {MODEL_UNKNOWN_OPERATION, 404, "UnknownOperationException", DOOR},
    {MODEL_SERIALIZATION, 400, "SerializationException", DOOR},
    {MODEL_MISSING_TOKEN, 403, "MissingAuthenticationTokenException", DOOR},
    {MODEL_INCOMPLETE_SIGNATURE, 403, "IncompleteSignatureException", DOOR},
    {MODEL_INVALID_SIGNATURE, 403, "InvalidSignatureException", DOOR},
    {MODEL_UNRECOGNIZED_CLIENT, 403, "UnrecognizedClientException", DOOR},
    {MODEL_EXPIRED_TOKEN, 403, "ExpiredTokenException", DOOR},
    {MODEL_TOO_LARGE, 413, "RequestEntityTooLargeException", DOOR},
    {MODEL_MALFORMED, 400, "MalformedHttpRequestException", DOOR},
    {MODEL_TIMEOUT, 408, "RequestTimeoutException", DOOR},
    {MODEL_UNAVAILABLE, 503, "ServiceUnavailable", DOOR},
};

_Static_assert(MR_ARRAY_LEN(table) == MODEL_ERROR_COUNT, "one row for each error");

const struct model_error_info *model_error_info(enum model_error error)
{
    MR_ASSERT((size_t)error < MR_ARRAY_LEN(table) && table[error].error == error);
    return &table[error];
}

enum model_error model_error_by_name(const char *name)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(table); i++)
        if (strcmp(table[i].namespace_, DOOR) == 0 && strcmp(table[i].name, name) == 0)
            return table[i].error;
    return MODEL_INTERNAL;
}

int model_fail(struct model_fault *fault, enum model_error error, struct mr_arena *arena, const char *fmt,
               ...)
{
    if (fault->error != MODEL_NO_ERROR)
        return MR_EINVAL;
    fault->error = error;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    /* Without room for the text the type alone goes out; it is what clients act on. */
    char *text = n >= 0 ? mr_arena_alloc(arena, (size_t)n + 1) : NULL;
    if (text == NULL)
        return MR_EINVAL;
    va_start(ap, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    fault->message = (struct mr_str){text, (size_t)n};
    return MR_EINVAL;
}

void model_fault_body(const struct model_fault *fault, struct mr_buf *out)
{
    const struct model_error_info *info = model_error_info(fault->error);
    mr_buf_printf(out, "{\"__type\":\"%s#%s\"", info->namespace_, info->name);
    if (fault->extra.ptr != NULL) {
        mr_buf_char(out, ',');
        mr_buf_str(out, fault->extra);
    }
    if (fault->message.ptr != NULL) {
        mr_buf_str(out, MR_STR(",\"message\":"));
        json_write_string(out, fault->message);
    }
    mr_buf_char(out, '}');
}
