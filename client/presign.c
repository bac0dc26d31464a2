#include "client/client.h"

#include "auth/sigv4.h"
#include "json/number.h"

static void add(struct mr_buf *query, const struct model_member *m, struct mr_str value)
{
    mr_buf_printf(query, "%s" MR_STR_FMT "=", query->len > 0 ? "&" : "", MR_STR_ARG(m->name));
    char *to = mr_buf_reserve(query, value.len * 3);
    if (to != NULL)
        query->len += auth_uri_encode(value, to);
}

/* The members as parameters (write-api reference 2.3): what has structure cannot travel this way. */
static int add_member(struct mr_buf *query, const struct model_shape *shape, const struct model_member *m,
                      const void *field, struct outcome *o)
{
    char digits[JSON_NUMBER_MAX];
    if (!model_is_set(m, field))
        return 0;
    switch (m->kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
        add(query, m, *(const struct mr_str *)field);
        return 0;
    case MODEL_KIND_ENUM:
        add(query, m, model_enum_word(m->words, *(const int *)field));
        return 0;
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        add(query, m, (struct mr_str){digits, json_format_i64(((const struct model_i64 *)field)->v, digits)});
        return 0;
    case MODEL_KIND_BOOLEAN:
        add(query, m, ((const struct model_bool *)field)->v ? MR_STR("true") : MR_STR("false"));
        return 0;
    default:
        return client_outcome_fail(o, MR_ERR_ARGUMENT, "%s.%s does not fit into a URL.", shape->name.ptr,
                                   m->name.ptr);
    }
}

/* The whole URL, or NULL and the outcome says why. */
static struct mr_str presign(struct mr_client *c, enum client_api api, const struct model_operation *op,
                             struct mr_str parameters, unsigned expires_s, struct mr_arena *arena,
                             struct outcome *o)
{
    const struct client_url *url = &c->settings.endpoint[api];
    struct auth_credentials who = {.region = c->settings.region, .service = MR_STR("timestream")};
    struct mr_error err = MR_ERROR_INIT;
    int64_t now = mr_clock_wall(c->world.clock) + __atomic_load_n(&c->skew_ns, __ATOMIC_RELAXED);
    int rc = client_credentials_get(&c->credentials, now, arena, &who, &err);
    if (rc != 0) {
        client_outcome_fail(o, rc, "%s", err.text);
        return MR_STR_NULL;
    }
    struct mr_pair headers[] = {
        {MR_STR("content-type"), MR_STR(CLIENT_CONTENT_TYPE)},
        {MR_STR("host"), url->host},
        {MR_STR("x-amz-target"),
         mr_arena_printf(arena, MODEL_TARGET_PREFIX MR_STR_FMT, MR_STR_ARG(op->name))}};
    struct auth_request req = {.method = MR_STR("POST"),
                               .path = url->path,
                               .query = parameters,
                               .headers = headers,
                               .nheaders = MR_ARRAY_LEN(headers),
                               .body = MR_STR("")};
    struct mr_str query;
    int status = arena->failed ? MR_ENOMEM : auth_presign(&who, &req, now, expires_s, arena, &query);
    explicit_bzero((char *)(uintptr_t)who.secret.ptr, who.secret.len);
    if (status != MR_OK) {
        client_outcome_status(o, status, MR_ERR_ARGUMENT,
                              "Not with these credentials, or not for that long (1 to 604800 s).");
        return MR_STR_NULL;
    }
    struct mr_str text =
        mr_arena_printf(arena, MR_STR_FMT "?" MR_STR_FMT, MR_STR_ARG(url->text), MR_STR_ARG(query));
    if (text.ptr == NULL)
        client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    return text;
}

int mr_presign(struct mr_client *client, enum mr_operation operation, const void *request, unsigned expires_s,
               char **url, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    struct mr_arena arena = MR_ARENA_INIT, empty = MR_ARENA_INIT;
    struct mr_buf query = MR_BUF_INIT;
    enum client_api api;
    const struct model_operation *op = client_operation(operation, &api);
    *url = NULL;
    if (client == NULL || op == NULL) {
        client_outcome_fail(&o, MR_ERR_ARGUMENT, "No client, or no operation.");
        return client_outcome_deliver(&o, fault);
    }
    int rc = client_check(op->input, request, &o);
    for (uint32_t i = 0; rc == 0 && i < op->input->index->count; i++) {
        const struct model_member *m = &op->input->index->members[i];
        rc = add_member(&query, op->input, m, (const char *)request + m->offset, &o);
    }
    if (rc == 0 && !mr_buf_ok(&query))
        rc = client_outcome_fail(&o, MR_ERR_MEMORY, "Out of memory.");
    if (rc == 0) {
        struct mr_str text = presign(client, api, op, mr_buf_view(&query), expires_s, &arena, &o);
        if (text.ptr != NULL && (*url = client_response_new(text.ptr, text.len + 1, &empty)) == NULL)
            client_outcome_fail(&o, MR_ERR_MEMORY, "Out of memory.");
    }
    mr_buf_release(&query);
    mr_arena_release(&arena);
    return client_outcome_deliver(&o, fault);
}
