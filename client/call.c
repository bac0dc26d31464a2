#include "client/client.h"

#include <stdio.h>

#include "base/text.h"

#define USER_AGENT "millrace/" MR_VERSION
#define SKEW_WORTH_NS (60 * MR_NS_PER_S) /* a clock that is further off is corrected */

/* One call on its way through its attempts. */
struct call {
    struct mr_client *client;
    enum client_api api;
    const struct model_operation *op;
    struct mr_str body;
    struct outcome *outcome;
    struct client_url url;         /* of the latest attempt */
    struct auth_credentials who;   /* likewise */
    struct mr_arena arena;         /* of the latest attempt */
    bool discovered, token, clock; /* the attempt that costs nothing has been taken */
};

static int64_t wall(struct mr_client *c)
{
    return mr_clock_wall(c->world.clock) + __atomic_load_n(&c->skew_ns, __ATOMIC_RELAXED);
}

/* ---- one attempt ---- */

enum { HEADERS = 10 };

/* Signs and lists the headers to send. */
static int make_headers(struct call *call, struct mr_pair out[static HEADERS], size_t *n)
{
    struct mr_client *c = call->client;
    struct mr_pair fresh[4];
    size_t nfresh;
    struct mr_str target =
        mr_arena_printf(&call->arena, MODEL_TARGET_PREFIX MR_STR_FMT, MR_STR_ARG(call->op->name));
    struct mr_pair *at = out;
    *at++ = (struct mr_pair){MR_STR("Host"), call->url.host};
    *at++ = (struct mr_pair){MR_STR("Content-Type"), MR_STR(CLIENT_CONTENT_TYPE)};
    *at++ = (struct mr_pair){MR_STR("X-Amz-Target"), target};
    struct auth_request req = {.method = MR_STR("POST"),
                               .path = call->url.path,
                               .headers = out,
                               .nheaders = (size_t)(at - out),
                               .body = call->body};
    int status =
        target.ptr != NULL ? auth_sign(&call->who, &req, wall(c), &call->arena, fresh, &nfresh) : MR_ENOMEM;
    if (status != MR_OK)
        return client_outcome_status(call->outcome, status, MR_ERR_CREDENTIALS,
                                     "These credentials cannot sign a request.");
    for (size_t i = 0; i < nfresh; i++) {
        static const struct {
            struct mr_str low, name;
        } shown[] = {{{"authorization", 13}, {"Authorization", 13}},
                     {{"x-amz-date", 10}, {"X-Amz-Date", 10}},
                     {{"x-amz-security-token", 20}, {"X-Amz-Security-Token", 20}}};
        for (size_t k = 0; k < MR_ARRAY_LEN(shown); k++)
            if (mr_str_eq(fresh[i].name, shown[k].low))
                fresh[i].name = shown[k].name;
        *at++ = fresh[i];
    }
    struct mr_str more = c->settings.user_agent;
    *at++ = (struct mr_pair){MR_STR("User-Agent"),
                             more.len > 0
                                 ? mr_arena_printf(&call->arena, USER_AGENT " " MR_STR_FMT, MR_STR_ARG(more))
                                 : MR_STR(USER_AGENT)};
    *n = (size_t)(at - out);
    return 0;
}

static int find_way(struct call *call)
{
    struct mr_client *c = call->client;
    struct mr_error err = MR_ERROR_INIT;
    int rc = 0;
    if (call->op->op ==
        MODEL_OP_DESCRIBE_ENDPOINTS) /* what discovery itself asks, at the place that everybody knows */
        call->url = c->settings.endpoint[call->api];
    else
        rc = client_endpoint_get(c, call->api, &call->arena, &call->url, call->outcome);
    if (rc != 0)
        return rc;
    call->who = (struct auth_credentials){.region = c->settings.region, .service = MR_STR("timestream")};
    rc = client_credentials_get(&c->credentials, wall(c), &call->arena, &call->who, &err);
    return rc != 0 ? client_outcome_fail(call->outcome, rc, "%s",
                                         err.text[0] != '\0' ? err.text : "Out of memory.")
                   : 0;
}

static int attempt(struct call *call, void **output)
{
    struct mr_client *c = call->client;
    struct mr_pair headers[HEADERS];
    size_t n = 0;
    int rc = find_way(call);
    if (rc == 0)
        rc = make_headers(call, headers, &n);
    if (rc != 0)
        return rc;
    struct client_request request = {.method = "POST",
                                     .url = call->url.text.ptr,
                                     .headers = headers,
                                     .nheaders = n,
                                     .body = call->body,
                                     .connect_timeout_ms = c->settings.connect_timeout_ms,
                                     .timeout_ms = c->settings.timeout_ms};
    struct client_response response = {.status = 0};
    struct mr_arena arena = MR_ARENA_INIT;
    void *value = NULL;
    call->outcome->attempts++;
    rc = c->world.send(c->world.ctx, &request, &response);
    if (rc != 0)
        rc = client_outcome_fail(call->outcome, rc, MR_STR_FMT ": %s", MR_STR_ARG(call->url.text),
                                 response.problem);
    else if (response.status == 200 &&
             !response.framed) /* a head that was cut off looks like success otherwise */
        rc = client_outcome_fail(call->outcome, MR_ERR_NETWORK, MR_STR_FMT ": the answer was cut off.",
                                 MR_STR_ARG(call->url.text));
    else
        rc = client_answer_read(call->op->output, &response, &arena, &value, call->outcome);
    mr_buf_release(&response.body);
    if (rc == 0 && value != NULL && output != NULL) {
        *output = client_response_new(value, call->op->output->size, &arena);
        if (*output == NULL)
            rc = client_outcome_fail(call->outcome, MR_ERR_MEMORY, "Out of memory.");
    }
    mr_arena_release(&arena);
    return rc;
}

/* ---- again? ---- */

/* The server's Date tells how far off our clock is. */
static bool correct_clock(struct call *call)
{
    struct mr_client *c = call->client;
    if (call->outcome->date_s == 0)
        return false;
    int64_t skew = call->outcome->date_s * MR_NS_PER_S - mr_clock_wall(c->world.clock);
    int64_t change = skew - __atomic_load_n(&c->skew_ns, __ATOMIC_RELAXED);
    if (change < SKEW_WORTH_NS && change > -SKEW_WORTH_NS)
        return false;
    __atomic_store_n(&c->skew_ns, skew, __ATOMIC_RELAXED);
    return true;
}

/* What can be put right at once, once a call. */
static bool repaired(struct call *call, enum retry_class class_)
{
    switch (class_) {
    case RETRY_DISCOVER:
        if (call->discovered || !call->client->settings.discover[call->api] ||
            call->op->op == MODEL_OP_DESCRIBE_ENDPOINTS)
            return false;
        client_endpoint_drop(call->client, call->api, &call->url);
        return call->discovered = true;
    case RETRY_TOKEN:
        if (call->token || call->who.session_token.ptr == NULL)
            return false;
        client_credentials_drop(&call->client->credentials, call->who.access_key_id);
        return call->token = true;
    case RETRY_CLOCK:
        return !call->clock && (call->clock = correct_clock(call));
    default:
        return false;
    }
}

/* The secret does not stay behind in freed memory. */
static void forget(struct call *call)
{
    if (call->who.secret.ptr != NULL)
        explicit_bzero((char *)(uintptr_t)call->who.secret.ptr, call->who.secret.len);
    call->who.secret = MR_STR_NULL;
}

int64_t client_pause_ns(struct mr_client *c, enum retry_class class_, int attempt)
{
    pthread_mutex_lock(&c->rng_lock);
    int64_t pause = client_retry_pause_ns(class_, attempt, &c->rng);
    pthread_mutex_unlock(&c->rng_lock);
    return pause;
}

int client_try_body(struct mr_client *c, enum client_api api, const struct model_operation *op,
                    struct mr_str body, int attempts, void **output, struct outcome *o)
{
    struct call call = {.client = c, .api = api, .op = op, .body = body, .outcome = o};
    int used = 0, rc;
    for (;;) {
        forget(&call);
        mr_arena_reset(&call.arena);
        int before = o->attempts;
        rc = attempt(&call, output);
        if (rc == 0)
            break;
        enum retry_class class_ = client_retry_classify(rc, o->http_status, o->code != NULL ? o->code : "");
        bool sent = o->attempts > before; /* what failed before (discovery) has had its own attempts */
        o->retryable = o->retryable || class_ == RETRY_SOON || class_ == RETRY_SLOWER;
        if (!sent || !repaired(&call, class_)) {
            used++;
            if (!sent || (class_ != RETRY_SOON && class_ != RETRY_SLOWER) || used >= attempts)
                break;
            c->world.sleep(c->world.ctx, client_pause_ns(c, class_, used));
        }
        client_outcome_reset(o);
    }
    forget(&call);
    mr_arena_release(&call.arena);
    return rc;
}

/* ---- the whole call ---- */

void client_uuid(char out[static 37])
{
    unsigned char bytes[16];
    char hex[33];
    mr_random_bytes(bytes, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    mr_hex_encode(bytes, sizeof bytes, hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* The input with a random client token where the API has one and the caller gave none; shallow, in the arena.
 */
static const void *with_token(const struct model_shape *shape, const void *input, struct mr_arena *arena)
{
    const struct model_member *m = model_member_find(shape->index, MR_STR("ClientToken"));
    if (m == NULL || model_is_set(m, (const char *)input + m->offset))
        return input;
    char token[37];
    client_uuid(token);
    char *copy = mr_arena_alloc(arena, shape->size);
    struct mr_str text = mr_arena_dup(arena, mr_str_of(token));
    if (copy == NULL || text.ptr == NULL)
        return NULL;
    memcpy(copy, input, shape->size);
    memcpy(copy + m->offset, &text, sizeof text);
    return copy;
}

int client_try(struct mr_client *c, enum client_api api, const struct model_operation *op, const void *input,
               void **output, struct outcome *o)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf body = MR_BUF_INIT;
    if (output != NULL)
        *output = NULL;
    int rc = client_check(op->input, input, o);
    if (rc == 0 && op->input->index->count > 0) {
        input = with_token(op->input, input, &arena);
        if (input == NULL)
            rc = client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    }
    if (rc == 0) {
        model_encode(op->input, input, &body);
        rc = mr_buf_ok(&body)
                 ? client_try_body(c, api, op, mr_buf_view(&body), c->settings.max_attempts, output, o)
                 : client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    }
    mr_buf_release(&body);
    mr_arena_release(&arena);
    return rc;
}

int client_call(struct mr_client *c, enum client_api api, const struct model_operation *op, const void *input,
                void **output, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    if (output != NULL)
        *output = NULL;
    if (c == NULL)
        client_outcome_fail(&o, MR_ERR_ARGUMENT, "No client given.");
    else
        client_try(c, api, op, input, output, &o);
    return client_outcome_deliver(&o, fault);
}
