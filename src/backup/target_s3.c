/* backup/target_s3.c - a target in a bucket: an object is an object, its key behind the prefix. */
#include "backup/target.h"

#include "remote/remote.h"

#include <stdio.h>
#include <time.h>

#define TRIES 6
#define CALL_MS 300000u /* for a whole part on a slow line */
#define ERROR_BYTES 300

struct s3_target {
    struct backup_target base;
    struct remote *remote;
    struct mr_buf bucket; /* "/bucket" */
    struct mr_buf prefix; /* "" or "a/b/" */
};

/* Worth another try: a busy service, a broken connection. */
static bool passing(int status, int http)
{
    return status == MR_EIO || (status == MR_OK && (http >= 500 || http == 429));
}

static void pause_before(int attempt)
{
    long ms = 200L << attempt;
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* One request, repeated while it is worth it; PUT and GET of whole objects may be. */
static int call(struct s3_target *t, const struct remote_request *request, struct remote_answer *answer,
                struct mr_error *err)
{
    for (int attempt = 0;; attempt++) {
        struct mr_error why = MR_ERROR_INIT;
        *answer = (struct remote_answer)REMOTE_ANSWER_INIT;
        int status = remote_call(t->remote, request, answer, &why);
        if (!passing(status, answer->status) || attempt + 1 == TRIES)
            return status == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)status, "%s", why.text);
        remote_answer_release(answer);
        pause_before(attempt);
    }
}

static int refused(const char *doing, const char *key, const struct remote_answer *answer,
                   struct mr_error *err)
{
    struct mr_str body = mr_str_slice(mr_buf_view(&answer->body), 0, ERROR_BYTES);
    return mr_error_set(err,
                        answer->status == 404   ? MR_ENOENT
                        : answer->status == 403 ? MR_EDENIED
                                                : MR_EIO,
                        "S3 cannot %s %s: HTTP %d " MR_STR_FMT, doing, key, answer->status, MR_STR_ARG(body));
}

static void path_of(const struct s3_target *t, const char *key, struct mr_buf *path)
{
    mr_buf_str(path, mr_buf_view(&t->bucket));
    mr_buf_char(path, '/');
    mr_buf_str(path, mr_buf_view(&t->prefix));
    mr_buf_str(path, mr_str_of(key));
}

static int put(struct backup_target *target, const char *key, struct mr_str bytes, struct mr_error *err)
{
    struct s3_target *t = (struct s3_target *)target;
    struct remote_answer answer;
    struct mr_buf path = MR_BUF_INIT;
    path_of(t, key, &path);
    const struct remote_request request = {
        .method = "PUT", .path = mr_buf_view(&path), .body = bytes, .total_ms = CALL_MS};
    int status = mr_buf_ok(&path) ? call(t, &request, &answer, err) : MR_ENOMEM;
    if (status == MR_OK && answer.status != 200)
        status = refused("take", key, &answer, err);
    if (mr_buf_ok(&path))
        remote_answer_release(&answer);
    mr_buf_release(&path);
    return status;
}

static int get(struct backup_target *target, const char *key, size_t limit, struct mr_buf *out,
               struct mr_error *err)
{
    struct s3_target *t = (struct s3_target *)target;
    struct remote_answer answer = REMOTE_ANSWER_INIT;
    struct mr_buf path = MR_BUF_INIT;
    path_of(t, key, &path);
    const struct remote_request request = {
        .method = "GET", .path = mr_buf_view(&path), .total_ms = CALL_MS, .max_answer = limit + 1};
    int status = mr_buf_ok(&path) ? call(t, &request, &answer, err) : MR_ENOMEM;
    if (status == MR_OK && answer.status != 200)
        status = refused("give", key, &answer, err);
    if (status == MR_OK && out->len == 0) {
        mr_buf_release(out);
        *out = answer.body;
        answer.body = (struct mr_buf)MR_BUF_INIT;
    } else if (status == MR_OK) {
        mr_buf_str(out, mr_buf_view(&answer.body));
    }
    if (status == MR_OK && (!mr_buf_ok(out) || mr_buf_reserve(out, 1) == NULL))
        status = mr_error_set(err, MR_ENOMEM, "out of memory reading %s", key);
    remote_answer_release(&answer);
    mr_buf_release(&path);
    return status;
}

/* Keys come back with the prefix in front. */
struct strip {
    struct mr_str prefix;
    backup_list_fn *fn;
    void *ctx;
};

static int on_key(void *ctx, struct mr_str key, uint64_t bytes)
{
    struct strip *s = ctx;
    if (!mr_str_starts(key, s->prefix))
        return MR_OK;
    key = mr_str_slice(key, s->prefix.len, key.len);
    return backup_key_valid(key) ? s->fn(s->ctx, key, bytes) : MR_OK;
}

static int list_page(struct s3_target *t, struct mr_str prefix, struct strip *strip, struct mr_buf *token,
                     struct mr_error *err)
{
    struct remote_answer answer = REMOTE_ANSWER_INIT;
    struct mr_pair query[3] = {{MR_STR("list-type"), MR_STR("2")}, {MR_STR("prefix"), prefix}};
    size_t n = 2;
    struct mr_buf before = *token; /* lives as long as the request */
    *token = (struct mr_buf)MR_BUF_INIT;
    if (before.len != 0)
        query[n++] = (struct mr_pair){MR_STR("continuation-token"), mr_buf_view(&before)};
    const struct remote_request request = {.method = "GET",
                                           .path = mr_buf_view(&t->bucket),
                                           .query = query,
                                           .nquery = n,
                                           .max_answer = (size_t)8 << 20};
    int status = call(t, &request, &answer, err);
    if (status == MR_OK && answer.status != 200)
        status = refused("list", t->bucket.ptr, &answer, err);
    if (status == MR_OK)
        status = backup_s3_page(mr_buf_view(&answer.body), on_key, strip, token, err);
    remote_answer_release(&answer);
    mr_buf_release(&before);
    return status;
}

static int list(struct backup_target *target, const char *folder, backup_list_fn *fn, void *ctx,
                struct mr_error *err)
{
    struct s3_target *t = (struct s3_target *)target;
    struct mr_buf prefix = MR_BUF_INIT, token = MR_BUF_INIT;
    struct strip strip = {mr_buf_view(&t->prefix), fn, ctx};
    mr_buf_str(&prefix, strip.prefix);
    mr_buf_str(&prefix, mr_str_of(folder));
    int status = mr_buf_ok(&prefix) ? MR_OK : MR_ENOMEM;
    if (status == MR_OK) {
        do
            status = list_page(t, mr_buf_view(&prefix), &strip, &token, err);
        while (status == MR_OK && token.len != 0);
    }
    mr_buf_release(&prefix);
    mr_buf_release(&token);
    return status;
}

static void close_s3(struct backup_target *target)
{
    struct s3_target *t = (struct s3_target *)target;
    remote_close(t->remote);
    mr_buf_release(&t->bucket);
    mr_buf_release(&t->prefix);
    mr_free(t);
}

int backup_s3_open(struct mr_str where, const struct backup_s3 *s3, struct backup_target **out,
                   struct mr_error *err)
{
    size_t slash = mr_str_find(where, '/', 0);
    struct mr_str bucket = mr_str_slice(where, 0, slash), prefix = mr_str_slice(where, slash + 1, where.len);
    while (prefix.len != 0 && prefix.ptr[prefix.len - 1] == '/')
        prefix.len--;
    if (!backup_key_valid(bucket) || (prefix.len != 0 && !backup_key_valid(prefix)))
        return mr_error_set(err, MR_EINVAL, "\"s3://" MR_STR_FMT "\" is not a bucket and a plain prefix",
                            MR_STR_ARG(where));
    struct s3_target *t = mr_calloc(1, sizeof *t);
    if (t == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening a bucket");
    t->base = (struct backup_target){put, get, list, close_s3};
    mr_buf_printf(&t->bucket, "/" MR_STR_FMT "%c", MR_STR_ARG(bucket), '\0');
    if (prefix.len != 0)
        mr_buf_printf(&t->prefix, MR_STR_FMT "/", MR_STR_ARG(prefix));
    const char *region = s3->region != NULL ? s3->region : "us-east-1";
    char aws[128];
    snprintf(aws, sizeof aws, "https://s3.%.60s.amazonaws.com", region);
    const struct remote_options options = {
        .endpoint = s3->endpoint != NULL ? s3->endpoint : aws,
        .region = region,
        .service = "s3",
        .credentials = {.file = s3->credentials_file, .profile = s3->profile},
        .ca_file = s3->ca_file};
    int status =
        mr_buf_ok(&t->bucket) && mr_buf_ok(&t->prefix) ? remote_open(&options, &t->remote, err) : MR_ENOMEM;
    if (t->bucket.len != 0)
        t->bucket.len--; /* the terminator is for texts */
    if (status != MR_OK)
        close_s3(&t->base);
    else
        *out = &t->base;
    return status;
}
