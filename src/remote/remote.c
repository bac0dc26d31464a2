/* remote/remote.c - opening and closing: the endpoint taken apart, connections kept. */
#include "remote/private.h"

#include "auth/sigv4.h"

#include <string.h>

#define DEFAULT_CONNECT_MS 2000
#define DEFAULT_TOTAL_MS 10000
#define DEFAULT_ANSWER ((size_t)1 << 20)
#define DEFAULT_KEEP 4

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void start(void)
{
    started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static char *printed(const char *a, const char *b, const char *c)
{
    struct mr_buf buf = MR_BUF_INIT;
    mr_buf_printf(&buf, "%s%s%s", a, b, c);
    char *text = mr_buf_ok(&buf) ? mr_strndup(buf.ptr, buf.len) : NULL;
    mr_buf_release(&buf);
    return text;
}

/* The prefix is taken as it is written, which must be a path that needs no encoding. */
static bool prefix_valid(struct mr_str path)
{
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] != '/' && !auth_uri_plain(path.ptr[i]))
            return false;
    return true;
}

struct url_parts {
    char *scheme, *host, *port, *path; /* curl's memory */
};

static void parts_release(struct url_parts *p)
{
    curl_free(p->scheme);
    curl_free(p->host);
    curl_free(p->port);
    curl_free(p->path);
}

static bool take_apart(const char *endpoint, CURLU *url, struct url_parts *p)
{
    char *more = NULL;
    if (curl_url_set(url, CURLUPART_URL, endpoint, 0) != CURLUE_OK)
        return false;
    static const CURLUPart unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY,
                                         CURLUPART_FRAGMENT};
    for (size_t i = 0; i < MR_ARRAY_LEN(unwanted); i++)
        if (curl_url_get(url, unwanted[i], &more, 0) == CURLUE_OK) {
            curl_free(more);
            return false;
        }
    return curl_url_get(url, CURLUPART_SCHEME, &p->scheme, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_HOST, &p->host, 0) == CURLUE_OK &&
           curl_url_get(url, CURLUPART_PATH, &p->path, 0) == CURLUE_OK &&
           (curl_url_get(url, CURLUPART_PORT, &p->port, 0) == CURLUE_OK || p->port == NULL) &&
           (strcmp(p->scheme, "http") == 0 || strcmp(p->scheme, "https") == 0);
}

static int set_endpoint(struct remote *r, const char *endpoint, struct mr_error *err)
{
    CURLU *url = curl_url();
    struct url_parts p = {NULL, NULL, NULL, NULL};
    int status = MR_EINVAL;
    if (url == NULL) {
        status = MR_ENOMEM;
    } else if (endpoint != NULL && take_apart(endpoint, url, &p)) {
        struct mr_str path = mr_str_of(p.path);
        while (path.len > 0 && path.ptr[path.len - 1] == '/')
            path.len--;
        const char *own = strcmp(p.scheme, "https") == 0 ? "443" : "80";
        bool named = p.port != NULL && strcmp(p.port, own) != 0;
        if (prefix_valid(path)) {
            r->host = printed(p.host, named ? ":" : "", named ? p.port : "");
            r->origin = r->host != NULL ? printed(p.scheme, "://", r->host) : NULL;
            r->prefix = mr_strndup(path.ptr, path.len);
            status = r->origin != NULL && r->prefix != NULL ? MR_OK : MR_ENOMEM;
        }
    }
    parts_release(&p);
    curl_url_cleanup(url);
    if (status == MR_EINVAL)
        return mr_error_set(err, MR_EINVAL, "'%s' is not an endpoint: http[s]://host[:port][/prefix]",
                            endpoint != NULL ? endpoint : "");
    return status;
}

static int set_rest(struct remote *r, const struct remote_options *o, struct mr_error *err)
{
    if (!auth_region_valid(mr_str_of(o->region)) || !auth_region_valid(mr_str_of(o->service)))
        return mr_error_set(err, MR_EINVAL, "'%s' and '%s' cannot be region and service of a signature",
                            o->region, o->service);
    r->region = mr_strndup(o->region, strlen(o->region));
    r->service = mr_strndup(o->service, strlen(o->service));
    r->ca_file = o->ca_file != NULL ? mr_strndup(o->ca_file, strlen(o->ca_file)) : NULL;
    r->s3 = strcmp(o->service, "s3") == 0;
    r->connect_ms = o->connect_ms != 0 ? o->connect_ms : DEFAULT_CONNECT_MS;
    r->total_ms = o->total_ms != 0 ? o->total_ms : DEFAULT_TOTAL_MS;
    r->max_answer = o->max_answer != 0 ? o->max_answer : DEFAULT_ANSWER;
    r->clock = o->clock != NULL ? o->clock : &mr_clock_system;
    r->keep = o->keep != 0 ? o->keep : DEFAULT_KEEP;
    r->idle = mr_calloc(r->keep, sizeof(CURL *));
    bool ok = r->region != NULL && r->service != NULL && r->idle != NULL &&
              (o->ca_file == NULL || r->ca_file != NULL);
    return ok ? remote_keys_open(&r->keys, &o->credentials, err) : MR_ENOMEM;
}

int remote_open(const struct remote_options *options, struct remote **out, struct mr_error *err)
{
    *out = NULL;
    pthread_once(&once, start);
    struct remote *r = started ? mr_calloc(1, sizeof *r) : NULL;
    if (r == NULL)
        return mr_error_set(err, MR_ENOMEM, "no memory for calls to %s", options->endpoint);
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->keys.lock, NULL);
    int status = set_endpoint(r, options->endpoint, err);
    if (status == MR_OK)
        status = set_rest(r, options, err);
    if (status != MR_OK) {
        remote_close(r);
        return mr_error_set(err, (enum mr_status)status, "no memory for calls to %s", options->endpoint);
    }
    *out = r;
    return MR_OK;
}

void remote_close(struct remote *r)
{
    if (r == NULL)
        return;
    while (r->nidle > 0)
        curl_easy_cleanup(r->idle[--r->nidle]);
    remote_keys_close(&r->keys);
    pthread_mutex_destroy(&r->keys.lock);
    pthread_mutex_destroy(&r->lock);
    mr_free(r->idle);
    mr_free(r->origin);
    mr_free(r->host);
    mr_free(r->prefix);
    mr_free(r->region);
    mr_free(r->service);
    mr_free(r->ca_file);
    mr_free(r);
}

void remote_cancel(struct remote *r)
{
    __atomic_store_n(&r->cancelled, true, __ATOMIC_RELEASE);
}
