#include "client/http.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

struct http_pool {
    struct http_options options;
    pthread_mutex_t lock;
    CURL **idle; /* a stack: the latest used is the likeliest to be connected still */
    size_t nidle;
};

/* What the callbacks see. */
struct transfer {
    struct client_response *response;
    size_t head_bytes;
    bool too_large, no_memory;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void start(void)
{
    started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct http_pool *client_http_pool_new(const struct http_options *options)
{
    pthread_once(&once, start);
    struct http_pool *pool = started ? mr_calloc(1, sizeof *pool) : NULL;
    if (pool == NULL)
        return NULL;
    pool->options = *options;
    pool->idle = mr_calloc((size_t)options->idle, sizeof(CURL *));
    if (pool->idle == NULL || pthread_mutex_init(&pool->lock, NULL) != 0) {
        mr_free(pool->idle);
        mr_free(pool);
        return NULL;
    }
    return pool;
}

void client_http_pool_free(struct http_pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->nidle > 0)
        curl_easy_cleanup(pool->idle[--pool->nidle]);
    pthread_mutex_destroy(&pool->lock);
    mr_free(pool->idle);
    mr_free(pool);
}

static CURL *take(struct http_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    CURL *curl = pool->nidle > 0 ? pool->idle[--pool->nidle] : NULL;
    pthread_mutex_unlock(&pool->lock);
    return curl != NULL ? curl : curl_easy_init();
}

static void give_back(struct http_pool *pool, CURL *curl)
{
    curl_easy_reset(curl); /* keeps connections and TLS sessions */
    pthread_mutex_lock(&pool->lock);
    if (pool->nidle < (size_t)pool->options.idle) {
        pool->idle[pool->nidle++] = curl;
        curl = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    if (curl != NULL)
        curl_easy_cleanup(curl);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct mr_buf *body = &t->response->body;
    (void)size; /* always 1 */
    if (n > HTTP_BODY_MAX - body->len) {
        t->too_large = true;
        return 0;
    }
    mr_buf_add(body, bytes, n);
    t->no_memory = !mr_buf_ok(body);
    return t->no_memory ? 0 : n;
}

/* The value when the line is that header, else MR_STR_NULL. */
static struct mr_str header_value(struct mr_str line, struct mr_str name)
{
    size_t colon = mr_str_find(line, ':', 0);
    if (colon == line.len || !mr_str_ieq(mr_str_slice(line, 0, colon), name))
        return MR_STR_NULL;
    struct mr_str value = mr_str_slice(line, colon + 1, line.len);
    while (value.len > 0 && (value.ptr[value.len - 1] == '\r' || value.ptr[value.len - 1] == '\n'))
        value.len--;
    return mr_str_trim(value);
}

static size_t on_head(char *bytes, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct client_response *r = t->response;
    struct mr_str line = {bytes, n};
    (void)size;
    t->head_bytes += n;
    if (t->head_bytes > HTTP_HEAD_MAX) {
        t->too_large = true;
        return 0;
    }
    struct mr_str id = header_value(line, MR_STR("x-amzn-requestid"));
    struct mr_str date = header_value(line, MR_STR("date"));
    if (header_value(line, MR_STR("content-length")).ptr != NULL ||
        header_value(line, MR_STR("transfer-encoding")).ptr != NULL)
        r->framed = true;
    if (id.ptr != NULL) {
        size_t len = 0;
        for (size_t i = 0; i < id.len && len < sizeof r->request_id - 1; i++)
            if (id.ptr[i] > 0x20 && id.ptr[i] < 0x7f)
                r->request_id[len++] = id.ptr[i];
        r->request_id[len] = '\0';
    }
    if (date.ptr != NULL && date.len < 64) {
        char text[64] = "";
        memcpy(text, date.ptr, date.len);
        time_t when = curl_getdate(text, NULL);
        r->date_s = when > 0 ? (int64_t)when : 0;
    }
    return n;
}

/* Names are the client's own; values have no line breaks (auth and settings see to it). */
static struct curl_slist *header_list(const struct client_request *q)
{
    struct curl_slist *list = NULL;
    struct mr_buf line = MR_BUF_INIT;
    static const char *const unwanted[] = {"Accept:", "Expect:"}; /* what curl would add by itself */
    for (size_t i = 0; i < MR_ARRAY_LEN(unwanted) + q->nheaders; i++) {
        line.len = 0;
        if (i < q->nheaders) {
            mr_buf_str(&line, q->headers[i].name);
            mr_buf_str(&line, MR_STR(": "));
            mr_buf_str(&line, q->headers[i].value);
        } else {
            mr_buf_str(&line, mr_str_of(unwanted[i - q->nheaders]));
        }
        mr_buf_char(&line, '\0');
        struct curl_slist *longer = mr_buf_ok(&line) ? curl_slist_append(list, line.ptr) : NULL;
        if (longer == NULL) {
            curl_slist_free_all(list);
            list = NULL;
            break;
        }
        list = longer;
    }
    mr_buf_release(&line);
    return list;
}

static int error_of(CURLcode code, const struct transfer *t)
{
    if (t->no_memory || code == CURLE_OUT_OF_MEMORY)
        return MR_ERR_MEMORY;
    if (t->too_large)
        return MR_ERR_ANSWER;
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return MR_ERR_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
        return MR_ERR_TLS;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_TOO_MANY_REDIRECTS:
        return MR_ERR_ANSWER;
    default: /* names that do not resolve, refused, broken, truncated, handshakes that fail half-way */
        return MR_ERR_NETWORK;
    }
}

static void describe(CURLcode code, const struct transfer *t, const char *detail, struct client_response *r)
{
    if (t->too_large)
        snprintf(r->problem, sizeof r->problem, "The answer is too large.");
    else
        snprintf(r->problem, sizeof r->problem, "%s", detail[0] != '\0' ? detail : curl_easy_strerror(code));
}

static void set_up(CURL *curl, const struct http_pool *pool, const struct client_request *q,
                   struct transfer *t, struct curl_slist *headers, char *detail)
{
    curl_easy_setopt(curl, CURLOPT_URL, q->url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)q->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)q->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    if (strcmp(q->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, q->body.ptr != NULL ? q->body.ptr : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
    } else if (strcmp(q->method, "GET") != 0) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, q->method);
    }
    if (pool->options.insecure) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (pool->options.ca_file.ptr != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, pool->options.ca_file.ptr);
    if (q->local)
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    else if (pool->options.proxy.ptr != NULL)
        curl_easy_setopt(curl, CURLOPT_PROXY, pool->options.proxy.ptr);
}

/* A connection that the other side has closed must not end the program, and whether it wants SIGPIPE is the
 * program's to decide: the signal is held back in this thread, and taken away if it is ours. */
static void hold_sigpipe(sigset_t *before, bool *was_pending)
{
    sigset_t pipe_only, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    *was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, before);
}

static void let_sigpipe_go(const sigset_t *before, bool was_pending)
{
    sigset_t pipe_only;
    const struct timespec now = {0, 0};
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (!was_pending)
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static CURLcode perform(CURL *curl)
{
    sigset_t before;
    bool was_pending;
    hold_sigpipe(&before, &was_pending);
    CURLcode code = curl_easy_perform(curl);
    let_sigpipe_go(&before, was_pending);
    return code;
}

int client_http_send(void *ctx, const struct client_request *request, struct client_response *response)
{
    struct http_pool *pool = ctx;
    struct transfer t = {.response = response};
    char detail[CURL_ERROR_SIZE] = "";
    CURL *curl = take(pool);
    struct curl_slist *headers = curl != NULL ? header_list(request) : NULL;
    int rc = MR_ERR_MEMORY;
    if (headers != NULL) {
        set_up(curl, pool, request, &t, headers, detail);
        CURLcode code = perform(curl);
        long status = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        response->status = (int)status;
        rc = code == CURLE_OK ? 0 : error_of(code, &t);
        if (rc != 0)
            describe(code, &t, detail, response);
    }
    curl_slist_free_all(headers);
    if (curl != NULL)
        give_back(pool, curl);
    return rc;
}
