#include "store/private.h"

#include "base/hash.h"
#include "seal/seal.h"
#include "store/entry.h"

/* ---- the registry
 * ---------------------------------------------------------------------------------------------- */

static struct store_table **bucket_of(struct store_table **buckets, size_t nbuckets, uint64_t id)
{
    return &buckets[mr_hash64(&id, sizeof id, 0) & (nbuckets - 1)];
}

static int make_room(struct store *store)
{
    if (store->ntables < store->nbuckets)
        return MR_OK;
    size_t grown = store->nbuckets != 0 ? store->nbuckets * 2 : 64;
    struct store_table **buckets = mr_calloc(grown, sizeof(struct store_table *));
    if (buckets == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < store->nbuckets; i++) {
        for (struct store_table *table = store->buckets[i], *next; table != NULL; table = next) {
            struct store_table **bucket = bucket_of(buckets, grown, table->id);
            next = table->next;
            table->next = *bucket;
            *bucket = table;
        }
    }
    mr_free(store->buckets);
    store->buckets = buckets;
    store->nbuckets = grown;
    return MR_OK;
}

static struct store_table *find(struct store *store, uint64_t id)
{
    struct store_table *table = store->nbuckets != 0 ? *bucket_of(store->buckets, store->nbuckets, id) : NULL;
    while (table != NULL && table->id != id)
        table = table->next;
    return table;
}

static int make(struct store *store, uint64_t database_id, uint64_t id, struct store_table **out)
{
    if (make_room(store) != MR_OK)
        return MR_ENOMEM;
    struct store_table *table = mr_calloc(1, sizeof *table);
    if (table == NULL)
        return MR_ENOMEM;
    *table = (struct store_table){.store = store,
                                  .database_id = database_id,
                                  .id = id,
                                  .users = 1,
                                  .cutoff = INT64_MIN,
                                  .named_columns = 2};
    if (mem_table_open(&store->budget, &table->mem) != MR_OK) {
        mr_free(table);
        return MR_ENOMEM;
    }
    struct store_table **bucket = bucket_of(store->buckets, store->nbuckets, id);
    table->next = *bucket;
    *bucket = table;
    store->ntables++;
    *out = table;
    return MR_OK;
}

int table_find_or_make(struct store *store, uint64_t database_id, uint64_t id, struct store_table **out)
{
    int rc = MR_OK;
    pthread_mutex_lock(&store->tables_lock);
    *out = find(store, id);
    if (*out == NULL)
        rc = make(store, database_id, id, out);
    pthread_mutex_unlock(&store->tables_lock);
    return rc;
}

void tables_release(struct store *store)
{
    for (size_t i = 0; i < store->nbuckets; i++) {
        for (struct store_table *table = store->buckets[i], *next; table != NULL; table = next) {
            next = table->next;
            mem_table_close(table->mem);
            mr_buf_release(&table->pending);
            mr_free(table);
        }
    }
    mr_free(store->buckets);
}

/* ---- keeping it alive
 * ------------------------------------------------------------------------------------------ */

bool table_pin(struct store_table *table)
{
    unsigned users = __atomic_load_n(&table->users, __ATOMIC_RELAXED);
    while (users != 0)
        if (__atomic_compare_exchange_n(&table->users, &users, users + 1, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

void table_unpin(struct store_table *table)
{
    if (__atomic_sub_fetch(&table->users, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    mem_table_close(table->mem);
    table->mem = NULL;
}

static struct store_table *find_locked(struct store *store, uint64_t id)
{
    pthread_mutex_lock(&store->tables_lock);
    struct store_table *table = find(store, id);
    pthread_mutex_unlock(&store->tables_lock);
    return table; /* stays until the store closes */
}

bool table_is_gone(struct store *store, uint64_t table_id)
{
    const struct store_table *table = find_locked(store, table_id);
    uint64_t lsn = table != NULL ? __atomic_load_n(&table->drop_lsn, __ATOMIC_ACQUIRE) : 0;
    return lsn != 0 && (store->wal == NULL || lsn <= wal_durable_lsn(store->wal));
}

int64_t table_cutoff(struct store *store, uint64_t table_id)
{
    const struct store_table *table = find_locked(store, table_id);
    return table != NULL ? __atomic_load_n(&table->cutoff, __ATOMIC_RELAXED) : INT64_MIN;
}

bool table_can_merge(struct store *store, uint64_t table_id)
{
    const struct store_table *table = find_locked(store, table_id);
    return table != NULL && !table_waits(table) && table->damage.status == MR_OK &&
           seal_keyring_usable(store->keyring, table->database_id, NULL) == MR_OK &&
           !__atomic_load_n(&table->unmergeable, __ATOMIC_RELAXED);
}

void table_no_merge(struct store *store, uint64_t table_id)
{
    struct store_table *table = find_locked(store, table_id);
    if (table != NULL)
        __atomic_store_n(&table->unmergeable, true, __ATOMIC_RELAXED);
}

/* The tables there are now, pinned, in an array of *count. */
static int pin_all(struct store *store, struct store_table ***out, size_t *count)
{
    *count = 0;
    pthread_mutex_lock(&store->tables_lock);
    struct store_table **list = mr_calloc(store->ntables, sizeof(struct store_table *));
    for (size_t i = 0; list != NULL && i < store->nbuckets; i++)
        for (struct store_table *table = store->buckets[i]; table != NULL; table = table->next)
            if (table_pin(table))
                list[(*count)++] = table;
    pthread_mutex_unlock(&store->tables_lock);
    *out = list;
    return list != NULL ? MR_OK : MR_ENOMEM;
}

int tables_each(struct store *store, int (*fn)(struct store_table *table, void *ctx), void *ctx)
{
    struct store_table **list;
    size_t count;
    int rc = pin_all(store, &list, &count);
    for (size_t i = 0; i < count; i++) {
        if (rc == MR_OK)
            rc = fn(list[i], ctx);
        table_unpin(list[i]);
    }
    mr_free(list);
    return rc;
}

void table_forget(struct store_table *table)
{
    table_unpin(table);
}

int table_dropped(const struct store_table *table, struct mr_error *err)
{
    return mr_error_set(err, MR_ENOENT, "table %llu was dropped", (unsigned long long)table->id);
}

int store_table_ref(struct store *store, uint64_t database_id, uint64_t table_id, struct store_table **out,
                    struct mr_error *err)
{
    struct store_table *table;
    if (table_find_or_make(store, database_id, table_id, &table) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "no memory for a table");
    if (!table_pin(table))
        return table_dropped(table, err);
    mem_read_lock(table->mem);
    bool dropped = table->dropped;
    mem_read_unlock(table->mem);
    table_unpin(table);
    if (dropped)
        return table_dropped(table, err);
    if (table_waits(table)) {
        int rc = seal_keyring_usable(store->keyring, database_id, err);
        return rc != MR_OK ? rc : (int)mr_error_set(err, MR_EIO, "the table is being opened");
    }
    if (table->damage.status != MR_OK)
        return mr_error_set(err, table->damage.status, "%s", table->damage.text);
    __atomic_fetch_add(&table->refs, 1, __ATOMIC_RELAXED);
    *out = table;
    return MR_OK;
}

void store_table_unref(struct store_table *table)
{
    if (table == NULL)
        return;
    unsigned before = __atomic_fetch_sub(&table->refs, 1, __ATOMIC_RELAXED);
    MR_ASSERT(before != 0);
}

/* ---- drop
 * ------------------------------------------------------------------------------------------------------ */

/* From here on nobody finds the data. Under the table's write lock; `lsn` is that of the entry that says so.
 */
static void mark_dropped(struct store_table *table, uint64_t lsn)
{
    table->dropped = true;
    __atomic_store_n(&table->drop_lsn, lsn, __ATOMIC_RELEASE);
    table_forget(table);
}

static int log_drop(struct store_table *table, uint64_t *lsn)
{
    struct mr_buf entry = MR_BUF_INIT;
    entry_write_drop(&entry, table->database_id, table->id);
    int rc = mr_buf_ok(&entry) ? wal_append(table->store->wal, mr_buf_view(&entry), NULL, lsn) : MR_ENOMEM;
    mr_buf_release(&entry);
    return rc;
}

/* Logs the drop under the table's lock: no append can follow it in the log. On a full disk the table is
 * dropped all the same: its files are what fills it. */
static int drop_living(struct store_table *table)
{
    uint64_t lsn = DROPPED_BY_CALLER;
    mem_write_lock(table->mem);
    int rc = table->dropped ? MR_OK : log_drop(table, &lsn);
    if (!table->dropped && (rc == MR_OK || rc == MR_ENOSPC)) {
        __atomic_store_n(&table->unlogged, rc != MR_OK, __ATOMIC_RELEASE);
        mark_dropped(table, lsn);
    }
    mem_write_unlock(table->mem);
    return rc;
}

/* A drop that only the caller remembers is logged at last. */
static int log_late(struct store_table *table)
{
    int rc = log_drop(table, NULL);
    if (rc == MR_OK)
        __atomic_store_n(&table->unlogged, false, __ATOMIC_RELEASE);
    return rc;
}

static int drop_once(struct store_table *table)
{
    if (table_pin(table)) {
        int rc = drop_living(table);
        table_unpin(table);
        return rc;
    }
    return __atomic_load_n(&table->unlogged, __ATOMIC_ACQUIRE) ? log_late(table) : MR_OK;
}

void table_start_dropped(struct store_table *table)
{
    table->unlogged = true;
    mark_dropped(table, DROPPED_BY_CALLER);
}

int store_table_drop(struct store *store, uint64_t table_id, struct mr_error *err)
{
    struct store_table *table;
    if (table_find_or_make(store, 0, table_id, &table) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "no memory for a table");
    int rc = drop_once(table);
    while (rc == MR_EBUSY) {
        wal_flush(store->wal);
        rc = drop_once(table);
    }
    if (rc != MR_OK && rc != MR_ENOSPC)
        return mr_error_set(err, (enum mr_status)rc, "cannot log that table %llu is dropped",
                            (unsigned long long)table_id);
    if (rc == MR_OK)
        wal_flush(store->wal); /* also when another call dropped it a moment ago */
    int removed = files_expire(store, table_id, err);
    if (rc == MR_OK)
        return removed;
    return mr_error_set(err, MR_ENOSPC, "no disk space to log that table %llu is dropped",
                        (unsigned long long)table_id);
}
