/* store/keys.c - what happens when the key of a database is not at hand, comes back, or changes.
 *
 * Not at hand: appends and scans of its tables are refused, its segments are closed (so that no key of a file
 * outlives the data key), a flush passes its tables over and the log keeps what they are made of. At a start
 * its names cannot be read: the table waits, and so do its entries of the log, in memory. Nothing of that
 * touches other databases.
 *
 * A disk that does not answer at a start (EIO, no descriptors left) is no damage: names wait in the same way,
 * segments are opened again every few seconds.
 *
 * Back: names are read, entries applied, segments opened; a new view shows them to everybody at once.
 *
 * Changed: new files are under the new key by themselves; flushes write names again, merges write segments
 * again, and when no file is under an old generation, its key is forgotten.
 */
#include "store/private.h"

#include "base/log.h"
#include "seal/seal.h"
#include "store/entry.h"
#include "store/names.h"

int store_database_usable(struct store *store, uint64_t database_id, struct mr_error *err)
{
    return seal_keyring_usable(store->keyring, database_id, err);
}

struct seal_keyring *store_keyring(struct store *store)
{
    return store->keyring;
}

bool table_waits(const struct store_table *table)
{
    return __atomic_load_n(&table->waiting, __ATOMIC_ACQUIRE);
}

bool keys_outdated(struct store *store, const struct magstore_file *file)
{
    uint32_t newest = seal_keyring_generation(store->keyring, file->database);
    return file->key_generation < newest;
}

/* ---- a start without a key */

bool keys_must_wait(struct store *store, struct store_table *table)
{
    if (table->waiting || seal_keyring_usable(store->keyring, table->database_id, NULL) == MR_OK)
        return table->waiting;
    table->waiting = true;
    return true;
}

int keys_wait_for_disk(struct store_table *table)
{
    struct mem_table *fresh; /* of a table that was half read nothing can be used */
    if (mem_table_open(&table->store->budget, &fresh) != MR_OK)
        return MR_ENOMEM;
    mem_table_close(table->mem);
    table->mem = fresh;
    table->damage = (struct mr_error)MR_ERROR_INIT;
    table->named_columns = 2;
    table->named_measures = table->named_series = 0;
    table->waiting = true;
    table->store->unread = true;
    return MR_OK;
}

struct kept_entry {
    uint64_t lsn;
    uint64_t len;
};

int keys_keep_entry(struct store_table *table, uint64_t lsn, struct mr_str entry)
{
    const struct kept_entry head = {lsn, entry.len};
    mr_buf_add(&table->pending, &head, sizeof head);
    mr_buf_str(&table->pending, entry);
    return mr_buf_ok(&table->pending) ? MR_OK : MR_ENOMEM;
}

static int apply_kept(struct store_table *table)
{
    struct mr_cursor c = mr_cursor_of(mr_buf_view(&table->pending).ptr, table->pending.len);
    while (c.left > 0) {
        struct kept_entry kept;
        struct entry_head head;
        const char *why = "";
        memcpy(&kept, mr_cursor_bytes(&c, sizeof kept).ptr, sizeof kept);
        struct mr_str bytes = mr_cursor_bytes(&c, kept.len);
        struct mr_cursor entry = mr_cursor_of(bytes.ptr, bytes.len);
        int rc = entry_read_head(&entry, &head, &why);
        if (rc == MR_OK)
            rc = replay_append(table, &entry, kept.lsn, &why);
        if (rc != MR_OK)
            return mr_error_set(&table->damage, rc == MR_EINVAL ? MR_ECORRUPT : rc,
                                "entry %llu of the log is damaged: %s", (unsigned long long)kept.lsn, why);
    }
    return MR_OK;
}

/* Does the disk give all of them? Looks without touching the table, which others may look at. */
static bool can_read(struct store *store, const struct magstore_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (files[i].kind == MAGSTORE_NAMES && names_read(&store->io, store->files_dir, store->keyring,
                                                          &files[i], NULL, INT64_MIN, NULL) == MR_EIO)
            return false;
    return true;
}

/* Its key is back: names, then entries, then it is a table like others. */
static int load_waiting(struct store_table *table)
{
    struct store *store = table->store;
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_file *files;
    size_t n;
    int rc = files_list(store, table->id, &files, &n);
    if (rc == MR_OK && !can_read(store, files, n)) {
        store->unread = true;
        mr_free(files);
        return MR_OK;
    }
    for (size_t i = 0; i < n && rc == MR_OK; i++)
        if (files[i].kind == MAGSTORE_NAMES)
            rc = files_read_names(store, table, &files[i], &err);
    mr_free(files);
    if (rc == MR_OK && table->damage.status == MR_OK)
        (void)apply_kept(table); /* says what it found */
    if (rc == MR_OK && table->damage.status != MR_OK) {
        mr_log(MR_LOG_ERROR, "table_damaged", "table=%llu text=\"%s\"", (unsigned long long)table->id,
               table->damage.text);
        __atomic_store_n(&store->keep_log, true, __ATOMIC_RELAXED);
    }
    if (rc == MR_OK) {
        mr_buf_release(&table->pending);
        __atomic_store_n(&table->waiting, false, __ATOMIC_RELEASE);
    }
    return rc;
}

static int load_if_usable(struct store_table *table, void *ctx)
{
    MR_UNUSED(ctx);
    if (!table_waits(table) || seal_keyring_usable(table->store->keyring, table->database_id, NULL) != MR_OK)
        return MR_OK;
    return load_waiting(table);
}

/* ---- what is open */

/* Segments of the view that are open without a key, or closed with one, or that the disk did not give: opened
 * anew, which gives one or the other. */
static int open_anew(struct store *store, const struct store_view *view, struct store_segment **fresh,
                     size_t *nfresh)
{
    for (size_t i = 0; i < view->nsegments; i++) {
        const struct store_segment *segment = view->segments[i];
        bool usable = seal_keyring_usable(store->keyring, segment->file.database, NULL) == MR_OK;
        if (usable != segment->closed && !segment->unread)
            continue;
        int rc = segment_open(&store->io, store->files_dir, store->keyring, store->cache, &segment->file,
                              &fresh[*nfresh]);
        if (rc != MR_OK)
            return rc;
        ++*nfresh;
    }
    return MR_OK;
}

static int show(struct store *store, struct store_segment *const *fresh, size_t nfresh)
{
    struct store_view *view;
    pthread_mutex_lock(&store->commit_lock);
    int rc = view_make(&store->manifest, store->view, fresh, nfresh, &view);
    if (rc == MR_OK)
        snapshot_install(store, view, false);
    pthread_mutex_unlock(&store->commit_lock);
    return rc;
}

static int open_and_close(struct store *store)
{
    struct store_view *view = snapshot_view(store);
    struct store_segment **fresh = mr_calloc(view->nsegments, sizeof(struct store_segment *));
    size_t nfresh = 0, opened = 0, closed = 0;
    int rc = fresh != NULL ? open_anew(store, view, fresh, &nfresh) : MR_ENOMEM;
    if (rc == MR_OK && nfresh != 0)
        rc = show(store, fresh, nfresh);
    for (size_t i = 0; i < nfresh; i++) {
        opened += fresh[i]->reader != NULL;
        closed += fresh[i]->closed;
        store->unread = store->unread || fresh[i]->unread;
        segment_unref(fresh[i]);
    }
    if (opened + closed != 0)
        mr_log(MR_LOG_INFO, "segments_changed", "opened=%zu closed=%zu", opened, closed);
    mr_free(fresh);
    view_unref(view);
    return rc;
}

int64_t store_keys_refresh(struct store *store)
{
    bool changed;
    pthread_mutex_lock(&store->keys_lock);
    int64_t now = mr_clock_mono(store->clock);
    int64_t due = seal_keyring_refresh(store->keyring, now, store->key_life_ns, &changed);
    int rc = MR_OK;
    store->keys_stale = store->keys_stale || changed;
    if (store->keys_stale || store->unread) {
        store->unread = false; /* until one of them says so again */
        rc = tables_each(store, load_if_usable, NULL);
        if (rc == MR_OK)
            rc = open_and_close(store);
        store->keys_stale = rc != MR_OK;
    }
    bool soon = rc != MR_OK || store->unread;
    pthread_mutex_unlock(&store->keys_lock);
    if (rc != MR_OK)
        mr_log(MR_LOG_ERROR, "keys_refresh_failed", "status=%s", mr_status_name((enum mr_status)rc));
    if (changed) {
        keeper_flush_soon(store);
        keeper_compact_soon(store);
    }
    return !soon || due < now + 5 * MR_NS_PER_S ? due : now + 5 * MR_NS_PER_S;
}

void store_keys_changed(struct store *store)
{
    keeper_keys_soon(store);
    keeper_flush_soon(store);
    keeper_compact_soon(store);
}

/* ---- keys whose time is over */

static bool has_file(const struct magstore_file *files, size_t n, const struct seal_entry *key)
{
    for (size_t i = 0; i < n; i++)
        if (files[i].database == key->scope && files[i].key_generation == key->generation)
            return true;
    return false;
}

/* Nobody writes a file meanwhile, so none comes that is in no manifest yet. */
static int retire_all(struct store *store, const struct seal_entry *keys, size_t count, struct mr_error *err)
{
    struct magstore_file *files;
    size_t n;
    bool settled = false;
    int rc = files_list(store, 0, &files, &n);
    for (size_t i = 0; i < count && rc == MR_OK; i++) {
        if (keys[i].newest || keys[i].scope == SEAL_SCOPE_STORE || has_file(files, n, &keys[i]))
            continue;
        if (!settled)
            rc = files_settle(store, false, err); /* neither manifest names one */
        settled = true;
        if (rc == MR_OK)
            rc = seal_keyring_retire(store->keyring, keys[i].scope, keys[i].generation, err);
        if (rc == MR_OK)
            mr_log(MR_LOG_INFO, "key_retired", "database=%llu generation=%u",
                   (unsigned long long)keys[i].scope, keys[i].generation);
    }
    mr_free(files);
    return rc;
}

int keys_retire(struct store *store, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct seal_entry *keys;
    size_t count;
    bool old = false;
    int rc = seal_keyring_list(store->keyring, &arena, &keys, &count);
    for (size_t i = 0; i < count && rc == MR_OK; i++)
        old = old || (!keys[i].newest && keys[i].scope != SEAL_SCOPE_STORE);
    pthread_mutex_lock(&store->commit_lock);
    old = old && !holds_any(store); /* who copies files will want their keys */
    pthread_mutex_unlock(&store->commit_lock);
    /* After a flush there is another occasion. */
    if (rc == MR_OK && old && pthread_mutex_trylock(&store->flush_lock) == 0) {
        rc = retire_all(store, keys, count, err);
        pthread_mutex_unlock(&store->flush_lock);
    }
    mr_arena_release(&arena);
    return rc;
}
