/* remote/call.c - one exchange by libcurl, within its limits. */
#include "remote/private.h"

#include <stdlib.h>

#define HEAD_MAX ((size_t)64 << 10)

/* What the callbacks see. */
struct transfer {
    struct remote *remote;
    struct remote_answer *answer;
    size_t max_answer, head_bytes;
    bool too_large, no_memory;
    bool head_ended; /* by its empty line; libcurl takes a cut head for a whole one */
    bool framed;     /* the head says where the body ends; what only the connection's end ends may be cut */
};

static CURL *take(struct remote *r)
{
    pthread_mutex_lock(&r->lock);
    CURL *curl = r->nidle > 0 ? r->idle[--r->nidle] : NULL;
    pthread_mutex_unlock(&r->lock);
    return curl != NULL ? curl : curl_easy_init();
}

static void give_back(struct remote *r, CURL *curl)
{
    curl_easy_reset(curl); /* keeps connections and TLS sessions */
    pthread_mutex_lock(&r->lock);
    if (r->nidle < r->keep) {
        r->idle[r->nidle++] = curl;
        curl = NULL;
    }
    pthread_mutex_unlock(&r->lock);
    if (curl != NULL)
        curl_easy_cleanup(curl);
}

static size_t keep_bytes(struct transfer *t, struct mr_buf *to, size_t most, const char *bytes, size_t n)
{
    t->too_large = t->too_large || n > most - to->len;
    if (t->too_large)
        return 0;
    mr_buf_add(to, bytes, n);
    t->no_memory = !mr_buf_ok(to);
    return t->no_memory ? 0 : n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    (void)size; /* always 1 */
    return keep_bytes(t, &t->answer->body, t->max_answer, bytes, n);
}

static size_t on_head(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct mr_str line = {bytes, n};
    (void)size;
    if (mr_str_starts(line, MR_STR("HTTP/"))) { /* what came before was of an interim answer */
        t->answer->head.len = 0;
        t->framed = false;
    }
    struct mr_str name = mr_str_slice(line, 0, mr_str_find(line, ':', 0));
    t->framed = t->framed || mr_str_ieq(name, MR_STR("content-length")) ||
                mr_str_ieq(name, MR_STR("transfer-encoding"));
    t->head_ended = mr_str_eq(line, MR_STR("\r\n")) || mr_str_eq(line, MR_STR("\n"));
    t->head_bytes += n;
    t->too_large = t->too_large || t->head_bytes > HEAD_MAX;
    return keep_bytes(t, &t->answer->head, HEAD_MAX, bytes, n);
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct transfer *t = arg;
    (void)a, (void)b, (void)c, (void)d;
    return __atomic_load_n(&t->remote->cancelled, __ATOMIC_ACQUIRE);
}

static void set_method(CURL *curl, const struct remote_request *q)
{
    bool body = strcmp(q->method, "POST") == 0 || strcmp(q->method, "PUT") == 0;
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, q->body.ptr != NULL ? q->body.ptr : "");
    }
    if (strcmp(q->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "POST") != 0)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, q->method);
}

static void set_up(CURL *curl, struct transfer *t, const struct remote_request *q,
                   const struct remote_wire *wire, char *detail)
{
    const struct remote *r = t->remote;
    curl_easy_setopt(curl, CURLOPT_URL, wire->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, wire->headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (r->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, r->ca_file);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)r->connect_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(q->total_ms != 0 ? q->total_ms : r->total_ms));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    set_method(curl, q);
}

static int outcome(CURLcode code, const struct transfer *t, const char *detail, struct mr_error *err)
{
    const struct remote *r = t->remote;
    bool whole = t->head_ended && (t->framed || t->answer->body.len == 0);
    if (code == CURLE_OK && whole)
        return MR_OK;
    if (code == CURLE_OK)
        return mr_error_set(err, MR_EIO, "no whole answer from %s: its end is missing", r->origin);
    if (t->no_memory || code == CURLE_OUT_OF_MEMORY)
        return mr_error_set(err, MR_ENOMEM, "no memory for the answer of %s", r->origin);
    if (t->too_large)
        return mr_error_set(err, MR_ELIMIT, "the answer of %s is larger than %zu bytes", r->origin,
                            t->max_answer);
    if (__atomic_load_n(&r->cancelled, __ATOMIC_ACQUIRE))
        return mr_error_set(err, MR_ECANCEL, "the call to %s was cancelled", r->origin);
    return mr_error_set(err, MR_EIO, "no answer from %s: %s", r->origin,
                        detail[0] != '\0' ? detail : curl_easy_strerror(code));
}

static int exchange(struct transfer *t, const struct remote_request *q, const struct remote_wire *wire,
                    struct mr_error *err)
{
    char detail[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURL *curl = take(t->remote);
    if (curl == NULL)
        return mr_error_set(err, MR_ENOMEM, "no memory to call %s", t->remote->origin);
    set_up(curl, t, q, wire, detail);
    int rc = outcome(curl_easy_perform(curl), t, detail, err);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    t->answer->status = (int)status;
    give_back(t->remote, curl);
    return rc;
}

int remote_call(struct remote *r, const struct remote_request *q, struct remote_answer *answer,
                struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct remote_wire wire = {NULL, NULL};
    *answer = (struct remote_answer)REMOTE_ANSWER_INIT;
    struct transfer t = {
        .remote = r, .answer = answer, .max_answer = q->max_answer != 0 ? q->max_answer : r->max_answer};
    int rc = MR_OK;
    if (__atomic_load_n(&r->cancelled, __ATOMIC_ACQUIRE))
        rc = mr_error_set(err, MR_ECANCEL, "calls to %s are over", r->origin);
    if (rc == MR_OK)
        rc = remote_wire_make(r, q, &arena, &wire, err);
    if (rc == MR_OK)
        rc = exchange(&t, q, &wire, err);
    if (rc != MR_OK) {
        mr_error_set(err, (enum mr_status)rc, "cannot call %s", r->origin);
        remote_answer_release(answer);
    }
    remote_wire_release(&wire);
    mr_arena_release(&arena);
    return rc;
}

void remote_answer_release(struct remote_answer *answer)
{
    mr_buf_release(&answer->body);
    mr_buf_release(&answer->head);
    answer->status = 0;
}

struct mr_str remote_answer_header(const struct remote_answer *answer, struct mr_str name)
{
    struct mr_str rest = mr_buf_view(&answer->head);
    while (rest.len > 0) {
        size_t end = mr_str_find(rest, '\n', 0), colon = mr_str_find(rest, ':', 0);
        if (colon < end && mr_str_ieq(mr_str_slice(rest, 0, colon), name)) {
            struct mr_str value = mr_str_slice(rest, colon + 1, end);
            if (value.len > 0 && value.ptr[value.len - 1] == '\r')
                value.len--;
            return mr_str_trim(value);
        }
        rest = mr_str_slice(rest, end + 1, rest.len);
    }
    return MR_STR_NULL;
}
