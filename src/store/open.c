#include "store/private.h"

#include "base/log.h"
#include "seal/seal.h"

#include <errno.h>

#define DEFAULT_MEMORY_LIMIT (UINT64_C(4) << 30)

static int make_dir(struct store *store, const char *path, struct mr_error *err)
{
    int rc = store->io.mkdir(store->io.ctx, path, 0700);
    if (rc < 0 && rc != -EEXIST)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot make directory %s", path);
    return mr_io_sync_dir(&store->io, store->dir, err); /* who made it may have been killed before this */
}

static int open_keys(struct store *store, struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT;
    mr_buf_printf(&path, "%s/keys", store->dir);
    mr_buf_char(&path, '\0');
    int rc = MR_ENOMEM;
    if (mr_buf_ok(&path))
        rc = make_dir(store, path.ptr, err);
    if (rc == MR_OK)
        rc = seal_keyring_open(&store->io, path.ptr, &store->keyring, err);
    mr_buf_release(&path);
    return rc;
}

static int open_log(struct store *store, const struct store_options *options, struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT;
    mr_buf_printf(&path, "%s/wal", store->dir);
    mr_buf_char(&path, '\0');
    int rc = MR_ENOMEM;
    if (mr_buf_ok(&path))
        rc = make_dir(store, path.ptr, err);
    if (rc == MR_OK) {
        struct wal_options wal = {.io = &store->io,
                                  .clock = store->clock,
                                  .keyring = store->keyring,
                                  .dir = path.ptr,
                                  .segment_bytes = options->wal_segment_bytes,
                                  .max_queue_bytes = options->wal_queue_bytes};
        rc = wal_open(&wal, store_replay, store, &store->wal, err);
    }
    mr_buf_release(&path);
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
    store->dir = mr_strndup(options->dir, strlen(options->dir));
    int rc = store->dir != NULL ? open_keys(store, err) : MR_ENOMEM;
    if (rc == MR_OK)
        rc = open_log(store, options, err);
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
    MR_ASSERT(store->oldest == NULL);
    if (store->wal != NULL)
        wal_close(store->wal);
    seal_keyring_close(store->keyring);
    tables_release(store);
    for (struct store_scratch *scratch = store->scratches, *next; scratch != NULL; scratch = next) {
        next = scratch->next;
        scratch_free(scratch);
    }
    pthread_mutex_destroy(&store->tables_lock);
    pthread_mutex_destroy(&store->scratch_lock);
    pthread_mutex_destroy(&store->snapshot_lock);
    mr_free(store->dir);
    mr_free(store);
}
