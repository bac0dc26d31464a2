#include "store/private.h"

#include "base/log.h"
#include "seal/seal.h"

#include <errno.h>

#define DEFAULT_MEMORY_LIMIT (UINT64_C(4) << 30)
#define DEFAULT_CACHE_BYTES ((size_t)256 << 20)
#define DEFAULT_FLUSH_LOG_BYTES (UINT64_C(128) << 20)

static int make_dir(struct store *store, const char *path, struct mr_error *err)
{
    int rc = store->io.mkdir(store->io.ctx, path, 0700);
    if (rc < 0 && rc != -EEXIST)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot make directory %s", path);
    return mr_io_sync_dir_or_die(&store->io, store->dir,
                                 err); /* who made it may have been killed before this */
}

/* dir/name, made when it is not there. The caller frees *out. */
static int open_dir(struct store *store, const char *name, char **out, struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT;
    mr_buf_printf(&path, "%s/%s", store->dir, name);
    *out = mr_buf_ok(&path) ? mr_strndup(path.ptr, path.len) : NULL;
    mr_buf_release(&path);
    return *out != NULL ? make_dir(store, *out, err) : MR_ENOMEM;
}

/* What can be unwrapped is; what cannot be now, waits. */
static int open_keys(struct store *store, const struct seal_outside *outside, struct mr_error *err)
{
    char *dir;
    int rc = open_dir(store, "keys", &dir, err);
    if (rc == MR_OK)
        rc = seal_keyring_open(&store->io, dir, &store->keyring, err);
    mr_free(dir);
    if (rc == MR_OK && outside != NULL)
        seal_keyring_set_outside(store->keyring, outside);
    bool changed;
    if (rc == MR_OK)
        seal_keyring_refresh(store->keyring, mr_clock_mono(store->clock), store->key_life_ns, &changed);
    return rc;
}

static int open_files(struct store *store, const struct store_options *options, struct mr_error *err)
{
    int rc = open_dir(store, "files", &store->files_dir, err);
    for (size_t i = 0; i < options->ndropped && rc == MR_OK; i++) {
        struct store_table *table;
        rc = table_find_or_make(store, 0, options->dropped[i], &table);
        if (rc == MR_OK && !table->dropped)
            table_start_dropped(table);
    }
    return rc == MR_OK ? files_open(store, err) : rc;
}

static int open_log(struct store *store, const struct store_options *options, struct mr_error *err)
{
    char *dir;
    int rc = open_dir(store, "wal", &dir, err);
    if (rc == MR_OK) {
        uint64_t low = store->manifest.wal_low;
        struct wal_options wal = {.io = &store->io,
                                  .clock = store->clock,
                                  .keyring = store->keyring,
                                  .dir = dir,
                                  .segment_bytes = options->wal_segment_bytes,
                                  .max_queue_bytes = options->wal_queue_bytes,
                                  .need_lsn = store->manifest.generation != 0 ? low + 1 : 0};
        rc = wal_open(&wal, store_replay, store, &store->wal, err);
    }
    mr_free(dir);
    return rc;
}

/* Entries that did not fit are those of a table dropped after them, or damage. */
static int check_replay(struct store_table *table, void *ctx)
{
    if (table->misfit_lsn == 0)
        return MR_OK;
    return mr_error_set(ctx, MR_ECORRUPT, "entry %llu of the log is damaged: %s",
                        (unsigned long long)table->misfit_lsn, table->misfit);
}

/* What the log gave back counts as not flushed; files of tables whose drop it told of go. */
static int settle_down(struct store *store, struct mr_error *err)
{
    struct wal_stats wal;
    wal_stats(store->wal, &wal);
    store->log_since = wal.replayed_bytes;
    int rc = tables_each(store, check_replay, err);
    if (rc == MR_OK)
        rc = files_expire(store, 0, err);
    if (rc == MR_OK && !store->by_hand)
        rc = keeper_start(store, err);
    if (rc == MR_OK && store_has_grown(store))
        keeper_has_grown(store);
    keeper_compact_soon(store);
    return rc;
}

static void report(struct store *store)
{
    struct store_stats stats;
    store_stats(store, &stats);
    mr_log(MR_LOG_INFO, "store_open", "tables=%llu series=%llu rows=%llu memory_bytes=%llu lsn=%llu",
           (unsigned long long)stats.tables, (unsigned long long)stats.series, (unsigned long long)stats.rows,
           (unsigned long long)stats.memory_bytes, (unsigned long long)stats.last_lsn);
    if (stats.memory_bytes > store->budget.limit)
        mr_log(MR_LOG_WARN, "store_over_memory_limit", "memory_bytes=%llu limit=%llu",
               (unsigned long long)stats.memory_bytes, (unsigned long long)store->budget.limit);
}

int store_open(const struct store_options *options, struct store **out, struct mr_error *err)
{
    struct store *store = mr_calloc(1, sizeof *store);
    if (store == NULL)
        return mr_error_set(err, MR_ENOMEM, "no memory for the store");
    store->io = *options->io;
    store->clock = options->clock;
    store->budget.limit = options->memory_limit != 0 ? options->memory_limit : DEFAULT_MEMORY_LIMIT;
    pthread_mutex_init(&store->tables_lock, NULL);
    pthread_mutex_init(&store->scratch_lock, NULL);
    pthread_mutex_init(&store->snapshot_lock, NULL);
    pthread_cond_init(&store->snapshot_closed, NULL);
    pthread_mutex_init(&store->commit_lock, NULL);
    pthread_mutex_init(&store->flush_lock, NULL);
    pthread_mutex_init(&store->compact_lock, NULL);
    pthread_mutex_init(&store->keys_lock, NULL);
    store->key_life_ns = options->key_life_ns != 0 ? options->key_life_ns : SEAL_LIFE_NS;
    store->by_hand = options->by_hand;
    store->flush_bytes = options->flush_bytes != 0 ? options->flush_bytes : store->budget.limit / 4;
    store->flush_log_bytes =
        options->flush_log_bytes != 0 ? options->flush_log_bytes : DEFAULT_FLUSH_LOG_BYTES;
    store->policy.window_ns = options->window_ns;
    store->policy.max_bytes = options->file_bytes;
    store->manifest = (struct magstore_manifest)MAGSTORE_MANIFEST_INIT;
    store->dir = mr_strndup(options->dir, strlen(options->dir));
    int rc = store->dir != NULL ? open_keys(store, options->outside, err) : MR_ENOMEM;
    if (rc == MR_OK)
        rc = magstore_cache_open(options->no_cache           ? 0
                                 : options->cache_bytes != 0 ? options->cache_bytes
                                                             : DEFAULT_CACHE_BYTES,
                                 &store->cache);
    if (rc == MR_OK)
        rc = open_files(store, options, err);
    if (rc == MR_OK)
        rc = open_log(store, options, err);
    if (rc == MR_OK)
        rc = settle_down(store, err);
    if (rc != MR_OK) {
        store_close(store);
        return mr_error_set(err, (enum mr_status)rc, "cannot open the store in %s", options->dir);
    }
    report(store);
    *out = store;
    return MR_OK;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    keeper_stop(store);
    MR_ASSERT(store->oldest == NULL);
    if (store->wal != NULL)
        wal_close(store->wal);
    files_close(store);
    magstore_cache_close(store->cache);
    seal_keyring_close(store->keyring);
    tables_release(store);
    for (struct store_scratch *scratch = store->scratches, *next; scratch != NULL; scratch = next) {
        next = scratch->next;
        scratch_free(scratch);
    }
    pthread_mutex_destroy(&store->tables_lock);
    pthread_mutex_destroy(&store->scratch_lock);
    pthread_mutex_destroy(&store->snapshot_lock);
    pthread_cond_destroy(&store->snapshot_closed);
    pthread_mutex_destroy(&store->commit_lock);
    pthread_mutex_destroy(&store->flush_lock);
    pthread_mutex_destroy(&store->compact_lock);
    pthread_mutex_destroy(&store->keys_lock);
    mr_free(store->dir);
    mr_free(store);
}
