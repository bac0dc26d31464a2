#include "api/condition.h"

#include "auth/session.h"
#include "base/clock.h"

/* Known, and never there. A prefix ends with '/'. */
static const char *const absent_keys[] = {
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalTag/",
    "aws:PrincipalServiceName",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:FederatedProvider",
    "aws:Referer",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
};

static bool cut(struct mr_str key, const char *prefix, struct mr_str *rest)
{
    struct mr_str p = mr_str_of(prefix);
    if (key.len <= p.len || !mr_str_ieq(mr_str_slice(key, 0, p.len), p))
        return false;
    *rest = mr_str_slice(key, p.len, key.len);
    return true;
}

static int one(struct api_ask *ask, struct mr_str text, struct policy_values *out)
{
    struct mr_str *kept = MR_ARENA_NEW(ask->call->arena, struct mr_str);
    if (kept == NULL)
        return MR_ENOMEM;
    *kept = text;
    *out = (struct policy_values){.known = true, .at = kept, .n = text.ptr != NULL ? 1 : 0};
    return MR_OK;
}

/* Printed into the arena, where NULL means that there is no memory. */
static int printed(struct api_ask *ask, struct mr_str text, struct policy_values *out)
{
    return text.ptr != NULL ? one(ask, text, out) : MR_ENOMEM;
}

/* A tag of the request under a name whose case does not matter, as IAM has it. */
static int request_tag(struct api_ask *ask, struct mr_str name, struct policy_values *out)
{
    for (size_t i = 0; ask->tags != NULL && i < ask->tags->len; i++)
        if (mr_str_ieq(ask->tags->at[i].key, name))
            return one(ask, ask->tags->at[i].value, out);
    return one(ask, MR_STR_NULL, out);
}

static int tag_keys(struct api_ask *ask, struct policy_values *out)
{
    size_t n = ask->tags != NULL ? ask->tags->len : ask->tag_keys != NULL ? ask->tag_keys->len : 0;
    struct mr_str *keys = MR_ARENA_ARRAY(ask->call->arena, n + 1, struct mr_str);
    if (keys == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        keys[i] = ask->tags != NULL ? ask->tags->at[i].key : ask->tag_keys->at[i];
    *out = (struct policy_values){.known = true, .at = keys, .n = n, .many = true};
    return MR_OK;
}

/* A resource that is not there has no tags. */
static int resource_tag(struct api_ask *ask, struct mr_str name, struct policy_values *out)
{
    struct mr_pair *tags = NULL;
    size_t at = 0, n = 0;
    for (int colons = 0; colons < 5 && at < ask->resource.len; colons++)
        at = mr_str_find(ask->resource, ':', at) + 1;
    struct mr_str path = mr_str_slice(ask->resource, at, ask->resource.len);
    int status = catalog_tags_list(ask->call->api->catalog, path, ask->call->arena, &tags, &n);
    if (status != MR_OK && status != MR_ENOENT)
        return status;
    for (size_t i = 0; status == MR_OK && i < n; i++)
        if (mr_str_ieq(tags[i].name, name))
            return one(ask, tags[i].value, out);
    return one(ask, MR_STR_NULL, out);
}

static int current_time(struct api_ask *ask, bool epoch, struct policy_values *out)
{
    int64_t now = mr_clock_wall(ask->call->api->clock);
    char text[32];
    if (epoch)
        return printed(ask, mr_arena_printf(ask->call->arena, "%lld", (long long)(now / MR_NS_PER_S)), out);
    mr_format_iso_ms(now, text);
    return printed(ask, mr_arena_dup(ask->call->arena, mr_str_of(text)), out);
}

/* The address of "address:port" or "[address]:port". */
static struct mr_str address_of(struct mr_str peer)
{
    size_t colon = peer.len;
    while (colon > 0 && peer.ptr[colon - 1] != ':')
        colon--;
    struct mr_str host = mr_str_slice(peer, 0, colon > 0 ? colon - 1 : 0);
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = mr_str_slice(host, 1, host.len - 1);
    return host.len > 0 ? host : MR_STR_NULL;
}

static bool of_role(const struct api_call *call)
{
    return call->session != NULL && call->session->role.len > 0;
}

/* Absent for a long-term key. */
static int issue_time(struct api_ask *ask, struct policy_values *out)
{
    char text[32];
    if (ask->call->session == NULL)
        return one(ask, MR_STR_NULL, out);
    mr_format_iso_ms(ask->call->session->issued_ns, text);
    return printed(ask, mr_arena_dup(ask->call->arena, mr_str_of(text)), out);
}

/* Of the request itself, the same for every resource. */
static int request_value(struct api_ask *ask, struct mr_str key, struct policy_values *out)
{
    const struct api_call *call = ask->call;
    if (mr_str_ieq(key, MR_STR("aws:username")))
        return one(ask, of_role(call) ? MR_STR_NULL : call->user_name, out);
    if (mr_str_ieq(key, MR_STR("aws:PrincipalArn")))
        return one(ask, call->principal_arn, out);
    if (mr_str_ieq(key, MR_STR("aws:PrincipalType")))
        return one(ask, of_role(call) ? MR_STR("AssumedRole") : MR_STR("User"), out);
    if (mr_str_ieq(key, MR_STR("aws:TokenIssueTime")))
        return issue_time(ask, out);
    if (mr_str_ieq(key, MR_STR("aws:PrincipalAccount")) || mr_str_ieq(key, MR_STR("aws:ResourceAccount")))
        return one(ask, mr_str_of(call->api->account), out);
    if (mr_str_ieq(key, MR_STR("aws:RequestedRegion")))
        return one(ask, call->region, out);
    if (mr_str_ieq(key, MR_STR("aws:SourceIp")))
        return one(ask, address_of(call->peer), out);
    if (mr_str_ieq(key, MR_STR("aws:UserAgent")))
        return one(ask, call->user_agent, out);
    if (mr_str_ieq(key, MR_STR("aws:SecureTransport")))
        return one(ask, call->tls ? MR_STR("true") : MR_STR("false"), out);
    if (mr_str_ieq(key, MR_STR("aws:ViaAWSService")) || mr_str_ieq(key, MR_STR("aws:PrincipalIsAWSService")))
        return one(ask, MR_STR("false"), out);
    if (mr_str_ieq(key, MR_STR("aws:CurrentTime")) || mr_str_ieq(key, MR_STR("aws:EpochTime")))
        return current_time(ask, mr_str_ieq(key, MR_STR("aws:EpochTime")), out);
    *out = (struct policy_values){.known = false};
    return MR_OK;
}

int api_condition_value(void *ctx, struct mr_str key, struct policy_values *out)
{
    struct api_ask *ask = ctx;
    struct mr_str name;
    if (cut(key, "aws:ResourceTag/", &name) || cut(key, "timestream:ResourceTag/", &name))
        return resource_tag(ask, name, out);
    if (cut(key, "aws:RequestTag/", &name))
        return request_tag(ask, name, out);
    if (mr_str_ieq(key, MR_STR("aws:TagKeys")))
        return tag_keys(ask, out);
    for (size_t i = 0; i < MR_ARRAY_LEN(absent_keys); i++) {
        struct mr_str known = mr_str_of(absent_keys[i]);
        bool prefix = known.ptr[known.len - 1] == '/';
        if (prefix ? cut(key, absent_keys[i], &name) : mr_str_ieq(key, known))
            return one(ask, MR_STR_NULL, out);
    }
    return request_value(ask, key, out);
}
