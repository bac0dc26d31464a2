#include "server/hold_call.h"

#include "backup/backup.h"
#include "server/root_call.h"
#include "store/hold.h"

#include "base/hash.h"
#include "base/io.h"
#include "base/log.h"

#include <stdio.h>

#define KEYRING_LIMIT ((size_t)64 << 20)

static const struct mr_str hold_path = MR_STR("/-/hold");

/* Lives in the HTTP request's arena. */
struct call {
    struct workers_job job;
    struct server_handler *handler;
    struct http_request *req;
};

struct taking {
    struct server_handler *h;
    struct backup_moment *moment;
    uint64_t hold;
};

/* Ends with the checksum of all before it (docs/format/keyring.md). */
static bool keyring_whole(struct mr_str bytes)
{
    uint32_t crc;
    if (bytes.len < sizeof crc)
        return false;
    memcpy(&crc, bytes.ptr + bytes.len - sizeof crc, sizeof crc);
    return mr_crc32c(0, bytes.ptr, bytes.len - sizeof crc) == crc;
}

/* The keyring before the present one is overwritten when keys are forgotten: who has just opened it reads
 * zeros, and reads again. */
static int read_keyring(const char *path, struct mr_buf *out, struct mr_error *err)
{
    for (int attempt = 0; attempt < 10; attempt++) {
        out->len = 0;
        int status = mr_io_read_file(&mr_io_posix, path, KEYRING_LIMIT, out, err);
        if (status != MR_OK || keyring_whole(mr_buf_view(out)))
            return status;
    }
    return mr_error_set(err, MR_ECORRUPT, "%s is damaged: its checksum does not fit", path);
}

/* While the catalog stands still. The keyring is read after the LSN is known: a key is on disk before
 * anything is sealed under it. */
static int take(void *ctx, struct mr_error *err)
{
    struct taking *t = ctx;
    char path[4096];
    int status =
        store_hold(t->h->context->store, HOLD_LEASE_NS, &t->hold, &t->moment->manifest, &t->moment->lsn, err);
    if (status != MR_OK)
        return status;
    snprintf(path, sizeof path, "%s/keys/keyring", t->h->store_path);
    return read_keyring(path, &t->moment->keyring, err);
}

static int take_moment(struct server_handler *h, struct mr_buf *out, struct mr_error *err)
{
    struct backup_moment moment = BACKUP_MOMENT_INIT;
    struct taking taking = {h, &moment, 0};
    int status = catalog_copy(h->context->catalog, &moment.catalog, take, &taking, err);
    if (status == MR_OK) {
        mr_buf_u64(out, taking.hold);
        status = backup_moment_encode(&moment, out);
    }
    if (status != MR_OK)
        store_hold_release(h->context->store, taking.hold);
    backup_moment_release(&moment);
    return status;
}

static void run(struct workers_job *job)
{
    struct call *call = (struct call *)((char *)job - offsetof(struct call, job));
    struct http_request *req = call->req;
    struct mr_buf body = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    int status = take_moment(call->handler, &body, &err);
    if (status == MR_OK) {
        struct http_response res = {.status = 200, .content_type = "application/octet-stream", .body = body};
        http_respond(req, &res);
        return;
    }
    mr_buf_release(&body);
    mr_log(MR_LOG_ERROR, "hold_failed", "text=\"%s\"", err.text);
    root_call_failed(req, status);
}

static void start(struct server_handler *h, struct http_request *req)
{
    struct call *call = MR_ARENA_NEW(&req->arena, struct call);
    int status = MR_ENOMEM;
    if (call != NULL) {
        *call = (struct call){.job.run = run, .handler = h, .req = req};
        status = workers_submit(h->workers, &call->job);
    }
    if (status != MR_OK)
        root_call_failed(req, status);
}

/* "/<number>/<what>" behind the path. */
static bool parse(struct mr_str rest, uint64_t *id, struct mr_str *what)
{
    size_t slash = mr_str_find(rest, '/', 1);
    *what = mr_str_slice(rest, slash + 1, rest.len);
    return rest.len > 1 && rest.ptr[0] == '/' && mr_str_to_u64(mr_str_slice(rest, 1, slash), id) &&
           (mr_str_eq(*what, MR_STR("renew")) || mr_str_eq(*what, MR_STR("release")));
}

static void go_on(struct server_handler *h, struct http_request *req, uint64_t id, struct mr_str what)
{
    struct mr_buf body = MR_BUF_INIT;
    struct model_fault lapsed = {MODEL_NOT_FOUND, MR_STR("The hold has run out."), MR_STR_NULL};
    if (mr_str_eq(what, MR_STR("release"))) {
        store_hold_release(h->context->store, id);
    } else if (store_hold_renew(h->context->store, id, HOLD_LEASE_NS) != MR_OK) {
        root_call_fault(req, &lapsed);
        return;
    }
    mr_buf_str(&body, MR_STR("{}"));
    root_call_answer(req, 200, &body);
}

bool server_hold_call(struct server_handler *h, struct http_request *req)
{
    uint64_t id = 0;
    struct mr_str what = MR_STR_NULL;
    bool new = mr_str_eq(req->path, hold_path);
    if (!mr_str_eq(req->method, MR_STR("POST")) || !mr_str_starts(req->path, hold_path) ||
        (!new && !parse(mr_str_slice(req->path, hold_path.len, req->path.len), &id, &what)))
        return false;
    if (!root_call_allowed(h, req, MR_STR("Only the root key may make backups.")))
        return true;
    if (new)
        start(h, req);
    else
        go_on(h, req, id, what);
    return true;
}
