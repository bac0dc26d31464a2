#include "server/keys.h"

#include "api/kms.h"
#include "kms/kms.h"

#include "base/log.h"

#define PAGE 100 /* databases looked at at one time */

/* ---- naming */

static struct mr_str lowered(struct mr_str id, struct mr_arena *arena)
{
    struct mr_str low = mr_arena_dup(arena, id);
    for (size_t i = 0; low.ptr != NULL && i < low.len; i++) {
        char *c = (char *)(uintptr_t)low.ptr + i;
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    }
    return low;
}

static int local_wrapping(const struct server_keys *k, struct mr_str key, struct mr_arena *arena,
                          struct seal_wrapping *out)
{
    struct mr_str id = lowered(api_kms_id(k->api, key, arena), arena);
    *out = (struct seal_wrapping){SEAL_BY_LOCAL, id, MR_STR("")};
    return id.ptr != NULL ? MR_OK : MR_ENOMEM;
}

/* What is to wrap the data keys of a database of that name and key. */
static int wrapping_of(const struct server_keys *k, struct mr_str key, struct mr_str database,
                       struct mr_arena *arena, struct seal_wrapping *out)
{
    if (api_kms_is_default(k->api, key, arena)) {
        *out = (struct seal_wrapping){SEAL_BY_MASTER, MR_STR(""), MR_STR("")};
        return MR_OK;
    }
    if (k->kms == NULL)
        return local_wrapping(k, key, arena, out);
    *out = (struct seal_wrapping){SEAL_BY_OUTSIDE, key, database};
    return MR_OK;
}

/* Calls fn for each database until it says something else than MR_OK. */
typedef int each_fn(struct server_keys *k, const struct catalog_database *row, void *arg);
static int each_database(struct server_keys *k, each_fn *fn, void *arg)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_str after = MR_STR_NULL;
    struct mr_buf last = MR_BUF_INIT;
    bool more = true;
    int status = MR_OK;
    while (status == MR_OK && more) {
        struct catalog_database *rows;
        size_t n = 0;
        status = catalog_database_list(k->api->catalog, after, PAGE, &arena, &rows, &n, &more);
        for (size_t i = 0; i < n && status == MR_OK; i++)
            status = fn(k, &rows[i], arg);
        if (status == MR_OK && more) {
            last.len = 0;
            mr_buf_str(&last, rows[n - 1].name);
            status = mr_buf_ok(&last) ? MR_OK : MR_ENOMEM;
            after = mr_buf_view(&last);
        }
        mr_arena_reset(&arena);
    }
    mr_buf_release(&last);
    mr_arena_release(&arena);
    return status;
}

/* ---- for the keyring */

/* A service that makes keys and does not unwrap them is found out before anything is sealed. */
static int prove(struct server_keys *k, const struct seal_wrapping *by, const struct seal_key *key,
                 struct mr_str wrapped, struct mr_error *err)
{
    struct seal_key again;
    int status = kms_decrypt(k->kms, by->key, by->binding, wrapped, again.bytes, err);
    if (status == MR_OK && memcmp(again.bytes, key->bytes, SEAL_KEY_BYTES) != 0)
        status = mr_error_set(err, MR_EIO, "the key service unwraps another key than it made");
    seal_key_wipe(&again);
    return status;
}

static int outside_generate(void *ctx, const struct seal_wrapping *by, struct seal_key *out,
                            struct mr_buf *wrapped, struct mr_error *err)
{
    struct server_keys *k = ctx;
    if (k->kms == NULL)
        return mr_error_set(err, MR_EIO, "no key service is configured (--kms-endpoint)");
    int status = kms_generate(k->kms, by->key, by->binding, out->bytes, wrapped, err);
    return status == MR_OK ? prove(k, by, out, mr_buf_view(wrapped), err) : status;
}

static int outside_unwrap(void *ctx, const struct seal_wrapping *by, struct mr_str wrapped,
                          struct seal_key *out, struct mr_error *err)
{
    struct server_keys *k = ctx;
    if (k->kms == NULL)
        return mr_error_set(err, MR_EIO, "no key service is configured (--kms-endpoint)");
    struct mr_error why = MR_ERROR_INIT;
    int status = kms_decrypt(k->kms, by->key, by->binding, wrapped, out->bytes, &why);
    if (status != MR_OK)
        mr_log(MR_LOG_WARN, "key_not_unwrapped", "status=%s text=\"%s\"",
               mr_status_name((enum mr_status)status), why.text);
    return status == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)status, "%s", why.text);
}

struct search {
    uint64_t id;
    struct mr_arena *arena;
    struct seal_wrapping *out;
};

static int match_id(struct server_keys *k, const struct catalog_database *row, void *arg)
{
    const struct search *s = arg;
    if (row->id != s->id)
        return MR_OK;
    struct mr_str key = mr_arena_dup(s->arena, row->kms_key), name = mr_arena_dup(s->arena, row->name);
    int status = s->arena->failed ? MR_ENOMEM : wrapping_of(k, key, name, s->arena, s->out);
    return status == MR_OK ? MR_EEXIST : status; /* found: ends the walk */
}

static int outside_wrapping(void *ctx, uint64_t scope, struct mr_arena *arena, struct seal_wrapping *out,
                            struct mr_error *err)
{
    struct search s = {scope, arena, out};
    int status = each_database(ctx, match_id, &s);
    if (status == MR_EEXIST)
        return MR_OK;
    return status == MR_OK ? MR_ENOENT
                           : (int)mr_error_set(err, (enum mr_status)status, "cannot look up a database");
}

/* ---- for the control plane */

static int keys_resolve(void *ctx, struct mr_str key, struct mr_arena *arena, struct mr_str *out,
                        struct mr_error *err)
{
    struct server_keys *k = ctx;
    *out = key;
    if (k->kms == NULL || api_kms_is_default(k->api, key, arena))
        return MR_OK;
    return kms_describe(k->kms, key, arena, out, err);
}

static int keys_prepare(void *ctx, struct mr_str key, struct mr_str database, struct seal_fresh **out,
                        struct mr_error *err)
{
    struct server_keys *k = ctx;
    struct mr_arena arena = MR_ARENA_INIT;
    struct seal_wrapping by;
    int status = wrapping_of(k, key, database, &arena, &by);
    if (status == MR_OK)
        status = seal_fresh_make(store_keyring(k->api->store), &by, out, err);
    mr_arena_release(&arena);
    return status;
}

static int keys_adopt(void *ctx, uint64_t database_id, const struct seal_fresh *fresh, struct mr_error *err)
{
    struct server_keys *k = ctx;
    int status = seal_fresh_adopt(store_keyring(k->api->store), database_id, fresh, err);
    if (status == MR_OK)
        store_keys_changed(k->api->store);
    return status;
}

static bool keys_has(void *ctx, uint64_t database_id, struct mr_str key)
{
    struct server_keys *k = ctx;
    struct mr_arena arena = MR_ARENA_INIT;
    struct seal_keyring *ring = store_keyring(k->api->store);
    struct seal_wrapping by;
    /* Without a data key yet, the first one will be under the catalog's. */
    bool has = seal_keyring_generation(ring, database_id) == 0 ||
               (wrapping_of(k, key, MR_STR(""), &arena, &by) == MR_OK &&
                seal_keyring_wrapped_by(ring, database_id, &by));
    mr_arena_release(&arena);
    return has;
}

static int keys_forget(void *ctx, uint64_t database_id, struct mr_error *err)
{
    struct server_keys *k = ctx;
    int status = seal_keyring_forget(store_keyring(k->api->store), database_id, err);
    store_keys_changed(k->api->store); /* a flush, which lets the log forget what it has of the database */
    return status;
}

/* ---- life */

int server_keys_open(struct server_keys *k, const struct server_config *c, const struct api_context *api,
                     struct mr_error *err)
{
    *k = (struct server_keys){
        .api = api,
        .outside = {k, outside_generate, outside_unwrap, outside_wrapping},
        .calls = {k, keys_resolve, keys_prepare, keys_adopt, seal_fresh_free, keys_has, keys_forget},
    };
    if (c->kms_endpoint == NULL)
        return MR_OK;
    const struct remote_options options = {
        .endpoint = c->kms_endpoint,
        .region = c->kms_region,
        .credentials = {.file = c->kms_credentials},
        .ca_file = c->kms_ca,
        .total_ms = 5000,
    };
    return kms_open(&options, &k->kms, err);
}

/* Is the newest data key under the key that the catalog names? One that is local although a service is
 * configured stays: UpdateDatabase moves it. */
static bool in_line(struct server_keys *k, const struct catalog_database *row, struct mr_arena *arena)
{
    struct seal_keyring *ring = store_keyring(k->api->store);
    struct seal_wrapping by, local, outside = {SEAL_BY_OUTSIDE, row->kms_key, row->name};
    if (seal_keyring_generation(ring, row->id) == 0)
        return true;
    return (wrapping_of(k, row->kms_key, row->name, arena, &by) == MR_OK &&
            seal_keyring_wrapped_by(ring, row->id, &by)) ||
           (local_wrapping(k, row->kms_key, arena, &local) == MR_OK &&
            seal_keyring_wrapped_by(ring, row->id, &local)) ||
           seal_keyring_wrapped_by(ring, row->id, &outside);
}

static int settle_one(struct server_keys *k, const struct catalog_database *row, void *arg)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct seal_fresh *fresh = NULL;
    MR_UNUSED(arg);
    if (!in_line(k, row, &arena)) {
        int status = keys_prepare(k, row->kms_key, row->name, &fresh, &err);
        if (status == MR_OK)
            status = keys_adopt(k, row->id, fresh, &err);
        mr_log(status == MR_OK ? MR_LOG_INFO : MR_LOG_WARN, "key_brought_in_line",
               "database=%llu status=%s text=\"%s\"", (unsigned long long)row->id,
               mr_status_name((enum mr_status)status), err.text);
    }
    seal_fresh_free(fresh);
    mr_arena_release(&arena);
    return MR_OK;
}

static int same_id(struct server_keys *k, const struct catalog_database *row, void *arg)
{
    MR_UNUSED(k);
    return row->id == *(uint64_t *)arg ? MR_EEXIST : MR_OK;
}

static void forget_orphans(struct server_keys *k)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct seal_keyring *ring = store_keyring(k->api->store);
    struct seal_entry *entries;
    size_t n = 0;
    if (seal_keyring_list(ring, &arena, &entries, &n) != MR_OK)
        n = 0;
    for (size_t i = 0; i < n; i++) {
        struct mr_error err = MR_ERROR_INIT;
        uint64_t scope = entries[i].scope;
        if (!entries[i].newest || scope == SEAL_SCOPE_STORE || each_database(k, same_id, &scope) != MR_OK)
            continue;
        int status = seal_keyring_forget(ring, scope, &err);
        mr_log(MR_LOG_WARN, "keys_forgotten_late", "database=%llu status=%s text=\"%s\"",
               (unsigned long long)scope, mr_status_name((enum mr_status)status), err.text);
    }
    mr_arena_release(&arena);
}

void server_keys_settle(struct server_keys *k)
{
    forget_orphans(k);
    if (each_database(k, settle_one, NULL) != MR_OK)
        mr_log(MR_LOG_WARN, "keys_not_settled", "again=restart");
}

void server_keys_cancel(struct server_keys *k)
{
    if (k->kms != NULL)
        kms_cancel(k->kms);
}

void server_keys_close(struct server_keys *k)
{
    kms_close(k->kms);
    k->kms = NULL;
}
