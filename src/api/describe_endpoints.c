/* DescribeEndpoints: write-api reference 3.12, and the table of 11.2. The address must lead every SDK back
 * here, and on a port of our own no single form does: they put "https://" before it, use it as it is, or take
 * it for a host name. */
#include "api/action.h"

#define CACHE_MINUTES 1440

/* Where "host:port" ends its host; the length when there is no port. An IPv6 address is in brackets. */
static size_t host_end(struct mr_str address)
{
    size_t from = 0;
    if (address.len != 0 && address.ptr[0] == '[')
        from = mr_str_find(address, ']', 0);
    return mr_str_find(address, ':', from);
}

static bool contains_ignoring_case(struct mr_str s, struct mr_str word)
{
    for (size_t i = 0; i + word.len <= s.len; i++)
        if (mr_str_ieq(mr_str_slice(s, i, i + word.len), word))
            return true;
    return false;
}

static struct mr_str address_for(struct api_call *call, struct mr_str full)
{
    struct mr_str host = mr_str_slice(full, 0, host_end(full));
    struct mr_str port = mr_str_slice(full, host.len, full.len); /* ":8650", or nothing */
    if (call->tls && (port.len <= 1 || mr_str_eq(port, MR_STR(":443"))))
        return host;
    if (call->api_version_header || contains_ignoring_case(call->user_agent, MR_STR("botocore")))
        return call->tls ? full : mr_arena_printf(call->arena, "http://" MR_STR_FMT, MR_STR_ARG(full));
    if (mr_str_starts(call->user_agent, MR_STR("aws-sdk-js/")))
        return host;
    return full;
}

int api_describe_endpoints(struct api_call *call, struct model_fault *fault)
{
    struct mr_str full = call->api->public_host != NULL ? mr_str_of(call->api->public_host) : call->host;
    if (full.ptr == NULL || full.len == 0)
        return model_fail(fault, MODEL_VALIDATION, call->arena, "The request has no Host header.");
    struct model_endpoint endpoint = {.address = address_for(call, full),
                                      .cache_period_in_minutes = {true, CACHE_MINUTES}};
    if (endpoint.address.ptr == NULL)
        return MR_ENOMEM;
    struct model_describe_endpoints_response out = {.endpoints = {&endpoint, 1, true}};
    model_encode(&model_shape_describe_endpoints_response, &out, call->out);
    return MR_OK;
}
