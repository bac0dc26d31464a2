/* remote/request.c - URL and headers of a request, signed. */
#include "remote/private.h"

#include "auth/sigv4.h"

#define MAX_HEADERS 40

static void add_encoded(struct mr_buf *out, struct mr_str raw)
{
    char *to = mr_buf_reserve(out, raw.len * 3 + 1);
    if (to != NULL)
        out->len += auth_uri_encode(raw, to);
}

/* Slashes stay; everything else is encoded once. */
static void add_path(struct mr_buf *out, struct mr_str path)
{
    for (size_t from = 0; from <= path.len;) {
        size_t to = mr_str_find(path, '/', from);
        add_encoded(out, mr_str_slice(path, from, to));
        if (to < path.len)
            mr_buf_char(out, '/');
        from = to + 1;
    }
}

static void add_query(struct mr_buf *out, const struct remote_request *q)
{
    for (size_t i = 0; i < q->nquery; i++) {
        if (i > 0)
            mr_buf_char(out, '&');
        add_encoded(out, q->query[i].name);
        mr_buf_char(out, '=');
        add_encoded(out, q->query[i].value);
    }
}

/* No byte of a value may end its line. */
static bool value_valid(struct mr_str value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool add_header(struct curl_slist **list, struct mr_str name, const char *between, struct mr_str value)
{
    struct mr_buf line = MR_BUF_INIT;
    mr_buf_printf(&line, MR_STR_FMT "%s" MR_STR_FMT, MR_STR_ARG(name), between, MR_STR_ARG(value));
    mr_buf_char(&line, '\0');
    struct curl_slist *longer = mr_buf_ok(&line) ? curl_slist_append(*list, line.ptr) : NULL;
    mr_buf_release(&line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

/* Headers to send and to sign: the caller's, Host, and the hash of the body for S3. */
static int gather(struct remote *r, const struct remote_request *q, struct mr_arena *arena,
                  struct mr_pair *headers, size_t *n, struct mr_error *err)
{
    if (q->nheaders > MAX_HEADERS)
        return mr_error_set(err, MR_EINVAL, "too many headers");
    for (size_t i = 0; i < q->nheaders; i++) {
        if (!value_valid(q->headers[i].value))
            return mr_error_set(err, MR_EINVAL, "header " MR_STR_FMT " has a value that cannot be sent",
                                MR_STR_ARG(q->headers[i].name));
        headers[(*n)++] = q->headers[i];
    }
    headers[(*n)++] = (struct mr_pair){MR_STR("host"), mr_str_of(r->host)};
    if (r->s3) {
        char hex[AUTH_HEX_LEN + 1];
        int status = auth_sha256_hex(q->body, hex);
        if (status != MR_OK)
            return status;
        headers[(*n)++] =
            (struct mr_pair){MR_STR("x-amz-content-sha256"), mr_arena_dup(arena, mr_str_of(hex))};
    }
    return arena->failed ? MR_ENOMEM : MR_OK;
}

static int sign(struct remote *r, const struct auth_request *what, struct mr_arena *arena,
                struct mr_pair extra[static 4], size_t *nextra, struct mr_error *err)
{
    struct remote_pair pair = {NULL, NULL, NULL};
    int status = remote_keys_get(&r->keys, &pair, err);
    if (status == MR_OK) {
        const struct auth_credentials cred = {
            .access_key_id = mr_str_of(pair.id),
            .secret = mr_str_of(pair.secret),
            .session_token = pair.token != NULL ? mr_arena_dup(arena, mr_str_of(pair.token)) : MR_STR_NULL,
            .region = mr_str_of(r->region),
            .service = mr_str_of(r->service),
        };
        status = auth_sign(&cred, what, mr_clock_wall(r->clock), arena, extra, nextra);
    }
    remote_pair_release(&pair);
    return status == MR_EINVAL ? mr_error_set(err, MR_EINVAL, "the request cannot be signed") : status;
}

static bool has_type(const struct remote_request *q)
{
    for (size_t i = 0; i < q->nheaders; i++)
        if (mr_str_ieq(q->headers[i].name, MR_STR("content-type")))
            return true;
    return false;
}

static int make_list(const struct mr_pair *headers, size_t n, bool typed, struct remote_wire *out)
{
    /* What curl would add by itself and nobody signed. */
    static const char *const unwanted[] = {"Accept", "Expect", "Content-Type"};
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        ok = add_header(&out->headers, headers[i].name, headers[i].value.len > 0 ? ": " : ";",
                        headers[i].value);
    for (size_t i = 0; i < MR_ARRAY_LEN(unwanted) - typed && ok; i++)
        ok = add_header(&out->headers, mr_str_of(unwanted[i]), ":", MR_STR(""));
    return ok ? MR_OK : MR_ENOMEM;
}

int remote_wire_make(struct remote *r, const struct remote_request *q, struct mr_arena *arena,
                     struct remote_wire *out, struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT, query = MR_BUF_INIT;
    struct mr_pair *headers = MR_ARENA_ARRAY(arena, MAX_HEADERS + 6, struct mr_pair);
    size_t n = 0, nextra = 0;
    int status = MR_OK;
    if (q->path.len == 0 || q->path.ptr[0] != '/' || memchr(q->path.ptr, '\0', q->path.len) != NULL)
        return mr_error_set(err, MR_EINVAL, "a path starts with '/'");
    mr_buf_str(&path, mr_str_of(r->prefix));
    add_path(&path, q->path);
    add_query(&query, q);
    if (headers == NULL || !mr_buf_ok(&path) || !mr_buf_ok(&query))
        status = MR_ENOMEM;
    if (status == MR_OK)
        status = gather(r, q, arena, headers, &n, err);
    if (status == MR_OK) {
        const struct auth_request what = {
            .method = mr_str_of(q->method),
            .path = mr_buf_view(&path),
            .query = mr_buf_view(&query),
            .headers = headers,
            .nheaders = n,
            .body = q->body,
            .path_as_is = r->s3,
        };
        status = sign(r, &what, arena, headers + n, &nextra, err);
    }
    if (status == MR_OK)
        status = make_list(headers, n + nextra, has_type(q), out);
    if (status == MR_OK) {
        struct mr_str url =
            mr_arena_printf(arena, "%s" MR_STR_FMT "%s" MR_STR_FMT, r->origin, MR_STR_ARG(mr_buf_view(&path)),
                            query.len > 0 ? "?" : "", MR_STR_ARG(mr_buf_view(&query)));
        out->url = url.ptr;
        status = url.ptr != NULL ? MR_OK : MR_ENOMEM;
    }
    mr_buf_release(&path);
    mr_buf_release(&query);
    return status;
}

void remote_wire_release(struct remote_wire *wire)
{
    curl_slist_free_all(wire->headers);
    wire->headers = NULL;
}
