#include "api/arn.h"

#define NAME_MIN 3
#define NAME_MAX 256 /* bytes */

struct mr_str api_database_arn(struct api_call *call, struct mr_str database)
{
    return mr_arena_printf(call->arena, "arn:%s:timestream:" MR_STR_FMT ":%s:database/" MR_STR_FMT,
                           call->api->partition, MR_STR_ARG(call->region), call->api->account,
                           MR_STR_ARG(database));
}

struct mr_str api_table_arn(struct api_call *call, struct mr_str database, struct mr_str table)
{
    return mr_arena_printf(call->arena,
                           "arn:%s:timestream:" MR_STR_FMT ":%s:database/" MR_STR_FMT "/table/" MR_STR_FMT,
                           call->api->partition, MR_STR_ARG(call->region), call->api->account,
                           MR_STR_ARG(database), MR_STR_ARG(table));
}

/* ---- reading
 * -------------------------------------------------------------------------------------------------- */

/* Lower-case letters, digits and hyphens: the form of partitions, services and regions. */
static bool is_label(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return s.len != 0;
}

static bool is_account(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len == 12;
}

static struct mr_str next_part(struct mr_str text, size_t *at)
{
    size_t colon = mr_str_find(text, ':', *at);
    struct mr_str part = mr_str_slice(text, *at, colon);
    *at = colon < text.len ? colon + 1 : text.len;
    return part;
}

bool api_arn_split(struct mr_str text, struct api_arn *out)
{
    size_t at = 0;
    struct mr_str head = next_part(text, &at);
    out->partition = next_part(text, &at);
    out->service = next_part(text, &at);
    out->region = next_part(text, &at);
    out->account = next_part(text, &at);
    out->resource = mr_str_slice(text, at, text.len);
    return mr_str_eq(head, MR_STR("arn")) && is_label(out->partition) && is_label(out->service) &&
           is_label(out->region) && is_account(out->account) && out->resource.len != 0;
}

/* Reference 4.2. */
static bool is_name(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
            return false;
    }
    return s.len >= NAME_MIN && s.len <= NAME_MAX;
}

/* "database/<d>" or "database/<d>/table/<t>" */
static bool is_path(struct mr_str path)
{
    const struct mr_str head = MR_STR("database/"), middle = MR_STR("/table/");
    if (!mr_str_starts(path, head))
        return false;
    size_t slash = mr_str_find(path, '/', head.len);
    if (!is_name(mr_str_slice(path, head.len, slash)))
        return false;
    if (slash == path.len)
        return true;
    struct mr_str rest = mr_str_slice(path, slash, path.len);
    return mr_str_starts(rest, middle) && is_name(mr_str_slice(rest, middle.len, rest.len));
}

int api_no_such_resource(struct api_call *call, struct model_fault *fault)
{
    return model_fail(fault, MODEL_NOT_FOUND, call->arena, "The resource does not exist.");
}

int api_tagged_resource(struct api_call *call, struct mr_str arn, struct mr_str *path,
                        struct model_fault *fault)
{
    struct api_arn parts;
    if (!api_arn_split(arn, &parts) || !mr_str_eq(parts.service, MR_STR("timestream")))
        return model_fail(fault, MODEL_VALIDATION, call->arena, "The resource ARN is invalid.");
    bool scheduled = mr_str_starts(parts.resource, MR_STR("scheduled-query/"));
    if (!scheduled && !is_path(parts.resource))
        return model_fail(fault, MODEL_VALIDATION, call->arena, "The resource ARN is invalid.");
    if (scheduled || !mr_str_eq(parts.partition, mr_str_of(call->api->partition)) ||
        !mr_str_eq(parts.region, call->region) || !mr_str_eq(parts.account, mr_str_of(call->api->account)))
        return api_no_such_resource(call, fault);
    *path = parts.resource;
    return MR_OK;
}
