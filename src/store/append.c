/* store/append.c - records in, one log entry out.
 *
 * The rule of the project is: acknowledge after the sync, change memory after that. Here memory changes first
 * and the change is hidden: every row carries the LSN of its entry, and a snapshot sees only rows up to the
 * durable LSN it was opened at. For every reader that is the same thing. It is also safe to judge later
 * records by rows that are not durable yet: an entry that depends on another comes after it in the log, a
 * commit without an entry of its own waits for everything appended before (wal_notify), and a log that cannot
 * write ends the process, so nothing that was judged by is ever taken back.
 *
 * What can go wrong:
 *   no memory, memory limit, log queue full, no disk space   the batch is undone under the same lock, nobody
 * saw it crash before the sync                                    the entry is not in the log, nothing was
 * acknowledged crash after it                                           replay applies the entry whole
 *
 * The table's lock is held from the first record to wal_append, so the order of LSNs in a table is the order
 * in which its records were judged.
 */
#include "store/private.h"

#include "store/entry.h"

_Static_assert(STORE_DOUBLE == (int)MEM_DOUBLE && STORE_BIGINT == (int)MEM_BIGINT &&
                   STORE_VARCHAR == (int)MEM_VARCHAR && STORE_BOOLEAN == (int)MEM_BOOLEAN &&
                   STORE_TIMESTAMP == (int)MEM_TIMESTAMP && STORE_MULTI == (int)MEM_MULTI,
               "types have one numbering");
_Static_assert(STORE_TIME == (int)MEM_TIME && STORE_ATTRIBUTE == (int)MEM_ATTRIBUTE, "roles too");
_Static_assert(STORE_STORED == (int)MEM_STORED && STORE_DUPLICATE == (int)MEM_DUPLICATE &&
                   STORE_REJECT_SAME_VERSION == (int)MEM_REJECT_SAME_VERSION &&
                   STORE_REJECT_ATTRIBUTE_LIMIT == (int)MEM_REJECT_ATTRIBUTE_LIMIT,
               "outcomes too");
_Static_assert(sizeof(struct wal_waiter) <= sizeof(((struct store_commit *)NULL)->reserved),
               "a commit holds the log's waiter");

/* ---- scratch
 * --------------------------------------------------------------------------------------------------- */

void scratch_free(struct store_scratch *scratch)
{
    mem_scratch_free(scratch->mem);
    mr_buf_release(&scratch->entry);
    mr_free(scratch->attrs);
    mr_free(scratch);
}

static struct store_scratch *scratch_take(struct store *store)
{
    pthread_mutex_lock(&store->scratch_lock);
    struct store_scratch *scratch = store->scratches;
    if (scratch != NULL)
        store->scratches = scratch->next;
    pthread_mutex_unlock(&store->scratch_lock);
    if (scratch != NULL)
        return scratch;
    scratch = mr_calloc(1, sizeof *scratch);
    struct mem_scratch *mem = mem_scratch_new();
    if (scratch == NULL || mem == NULL) {
        mr_free(scratch);
        mem_scratch_free(mem);
        return NULL;
    }
    scratch->mem = mem;
    return scratch;
}

static void scratch_give(struct store *store, struct store_scratch *scratch)
{
    pthread_mutex_lock(&store->scratch_lock);
    scratch->next = store->scratches;
    store->scratches = scratch;
    pthread_mutex_unlock(&store->scratch_lock);
}

/* ---- into the memory store's words
 * ----------------------------------------------------------------------------- */

static int copy_attrs(struct store_scratch *scratch, const struct store_record *records, size_t count)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        total += records[i].nattrs;
    if (mr_grow((void **)&scratch->attrs, &scratch->attrs_cap, total, sizeof *scratch->attrs) != MR_OK)
        return MR_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        for (uint32_t a = 0; a < records[i].nattrs; a++) {
            const struct store_attr *from = &records[i].attrs[a];
            struct mem_attr *to = &scratch->attrs[at++];
            to->name = from->name;
            to->value.type = (enum mem_type)from->value.type;
            if (from->value.type == STORE_VARCHAR)
                to->value.str = from->value.str;
            else if (from->value.type == STORE_BOOLEAN)
                to->value.boolean = from->value.boolean;
            else
                to->value.i64 = from->value.i64;
        }
    }
    return MR_OK;
}

/* Counted before the entry is queued: afterwards the records may be gone. */
struct tally {
    uint64_t duplicates, rejected;
};

static void add_tally(struct store *store, struct tally tally, size_t count)
{
    __atomic_fetch_add(&store->appends, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&store->records, count, __ATOMIC_RELAXED);
    __atomic_fetch_add(&store->duplicates, tally.duplicates, __ATOMIC_RELAXED);
    __atomic_fetch_add(&store->rejected, tally.rejected, __ATOMIC_RELAXED);
}

static struct mem_record record_of(const struct store_record *r, const struct mem_attr *attrs)
{
    return (struct mem_record){.dims = r->dims,
                               .ndims = r->ndims,
                               .nattrs = r->nattrs,
                               .measure_name = r->measure_name,
                               .type = (enum mem_type)r->type,
                               .attrs = attrs,
                               .time = r->time,
                               .version = r->version};
}

static int put_one(struct mem_table *table, struct mem_record *record, struct store_record *r,
                   struct tally *tally)
{
    int rc = mem_batch_put(table, record);
    if (rc != MR_OK)
        return rc;
    r->outcome = (enum store_outcome)record->outcome;
    r->existing_version = record->existing_version;
    r->detail = record->detail;
    tally->duplicates += record->outcome == MEM_DUPLICATE;
    tally->rejected += record->outcome > MEM_DUPLICATE;
    return MR_OK;
}

static int put_all(struct mem_table *table, const struct store_scratch *scratch, struct store_record *records,
                   size_t count, struct tally *tally)
{
    enum { AHEAD = 16 }; /* records looked up together */
    struct mem_record ahead[AHEAD];
    const struct mem_attr *attrs = scratch->attrs;
    for (size_t i = 0; i < count; i += AHEAD) {
        size_t n = count - i < AHEAD ? count - i : AHEAD;
        for (size_t k = 0; k < n; k++) {
            ahead[k] = record_of(&records[i + k], attrs);
            attrs += records[i + k].nattrs;
        }
        mem_batch_look_up(table, ahead, n);
        for (size_t k = 0; k < n; k++) {
            int rc = put_one(table, &ahead[k], &records[i + k], tally);
            if (rc != MR_OK)
                return rc;
        }
    }
    return MR_OK;
}

/* ---- commit
 * ---------------------------------------------------------------------------------------------------- */

static struct wal_waiter *waiter_of(struct store_commit *commit)
{
    return (struct wal_waiter *)commit->reserved;
}

static void on_durable(struct wal_waiter *waiter)
{
    struct store_commit *commit =
        (struct store_commit *)((char *)waiter - offsetof(struct store_commit, reserved));
    commit->done(commit);
}

static int fail(struct mr_error *err, int rc, const struct store *store)
{
    switch (rc) {
    case MR_ELIMIT:
        return mr_error_set(err, MR_ELIMIT,
                            "the memory store is full (limit %llu bytes) or the batch is too large",
                            (unsigned long long)store->budget.limit);
    case MR_EBUSY:
        return mr_error_set(err, MR_EBUSY, "the queue of the log is full");
    case MR_ENOSPC:
        return mr_error_set(err, MR_ENOSPC, "no disk space for the log");
    case MR_EAGAIN:
        return mr_error_set(err, MR_EAGAIN, "files have to be read to judge late records");
    case MR_EINVAL:
        return mr_error_set(err, MR_EINVAL, "a record without a proper type or with too many parts");
    default:
        return mr_error_set(err, (enum mr_status)rc, "cannot append: %s", mr_status_name((enum mr_status)rc));
    }
}

/* Logs what the batch holds, gives it its number, or undoes it. *quiet: there was nothing to log. */
static int log_batch(struct store_table *table, struct store_scratch *scratch, struct store_commit *commit,
                     bool *quiet)
{
    struct mem_batch batch;
    mem_batch_view(table->mem, &batch);
    *quiet = batch.nrows == 0;
    if (*quiet) {
        mem_batch_abort(table->mem); /* there is nothing to undo either */
        return MR_OK;
    }
    uint64_t lsn = 0;
    int rc = MR_ENOMEM;
    scratch->entry.len = 0;
    scratch->entry.failed = false;
    entry_write_append(&scratch->entry, table->database_id, table->id, table->mem, &batch);
    if (mr_buf_ok(&scratch->entry))
        rc = wal_append(table->store->wal, mr_buf_view(&scratch->entry), waiter_of(commit), &lsn);
    /* From here on the commit may be done and gone; the rows are still behind the lock. */
    if (rc == MR_OK)
        mem_batch_commit(table->mem, lsn);
    else
        mem_batch_abort(table->mem);
    return rc;
}

/* An append on its way: what it needs beside the records. */
struct attempt {
    struct store_table *table;
    struct store_scratch *scratch;
    struct store_record *records;
    size_t count;
    struct store_commit *commit;
    const struct store_lookup *lookup; /* NULL: nothing was looked up */
    bool quiet;                        /* there was nothing to log */
    struct tally tally;
    size_t logged; /* bytes */
};

static int append_locked(struct attempt *a, uint64_t horizon)
{
    struct mem_table *mem = a->table->mem;
    if (a->table->dropped)
        return MR_ENOENT;
    mem_batch_begin(mem, a->scratch->mem, wal_last_lsn(a->table->store->wal) + 1, horizon);
    if (a->lookup != NULL)
        mem_batch_priors(mem, a->lookup->priors, a->lookup->npriors, a->lookup->epoch);
    int rc = put_all(mem, a->scratch, a->records, a->count, &a->tally);
    if (rc == MR_OK) {
        rc = log_batch(a->table, a->scratch, a->commit, &a->quiet);
        a->logged = a->quiet ? 0 : a->scratch->entry.len;
        return rc;
    }
    mem_batch_abort(mem);
    return rc;
}

static int attempt_append(struct attempt *a)
{
    struct mem_table *mem = a->table->mem;
    a->tally = (struct tally){0, 0};
    uint64_t horizon = snapshot_horizon(a->table->store);
    mem_write_lock(mem);
    int rc = append_locked(a, horizon);
    mem_write_unlock(mem);
    return rc;
}

/* Reads what the batch needs to know from files and tries again, until no release came between. */
static int append_late(struct attempt *a, struct mr_error *err)
{
    struct mem_record *records = mr_calloc(a->count, sizeof *records);
    const struct mem_attr *attrs = a->scratch->attrs;
    int rc = records != NULL ? MR_EAGAIN : MR_ENOMEM;
    for (size_t i = 0; i < a->count && records != NULL; i++) {
        records[i] = record_of(&a->records[i], attrs);
        attrs += a->records[i].nattrs;
    }
    while (rc == MR_EAGAIN) {
        struct store_lookup lookup;
        rc = lookup_priors(a->table, records, a->count, &lookup, err);
        a->lookup = &lookup;
        if (rc == MR_OK)
            rc = attempt_append(a);
        a->lookup = NULL;
        lookup_release(&lookup);
    }
    mr_free(records);
    return rc;
}

/* A record older than what was expired last has come because the retention was raised since: nothing that old
 * may be left out of a merge any more. The retention job sets the cutoff again. */
static void lower_cutoff(struct store_table *table, const struct store_record *records, size_t count)
{
    int64_t cutoff = __atomic_load_n(&table->cutoff, __ATOMIC_RELAXED);
    for (size_t i = 0; i < count; i++)
        while (records[i].time < cutoff &&
               !__atomic_compare_exchange_n(&table->cutoff, &cutoff, records[i].time, true, __ATOMIC_RELAXED,
                                            __ATOMIC_RELAXED))
            ;
}

/* Memory or the log has grown enough for a flush. */
static void note_growth(struct store *store, size_t logged)
{
    __atomic_add_fetch(&store->log_since, logged, __ATOMIC_RELAXED);
    if (store_has_grown(store) && !__atomic_load_n(&store->flushing, __ATOMIC_RELAXED))
        keeper_has_grown(store);
}

static int append_any(struct store_table *table, struct store_record *records, size_t count,
                      struct store_commit *commit, bool may_wait, struct mr_error *err)
{
    struct store *store = table->store;
    if (mem_budget_bytes(&store->budget) >= store->budget.limit) {
        note_growth(store, 0);
        return fail(err, MR_ELIMIT, store);
    }
    int usable = store_database_usable(store, table->database_id, err);
    if (usable != MR_OK)
        return usable;
    if (!table_pin(table))
        return table_dropped(table, err);
    waiter_of(commit)->done = on_durable;
    lower_cutoff(table, records, count);
    struct attempt a = {table, scratch_take(store), records, count, commit, NULL, false, {0, 0}, 0};
    int rc = a.scratch != NULL ? copy_attrs(a.scratch, records, count) : MR_ENOMEM;
    if (rc == MR_OK)
        rc = attempt_append(&a);
    if (rc == MR_EAGAIN && may_wait)
        rc = append_late(&a, err);
    if (a.scratch != NULL)
        scratch_give(store, a.scratch);
    table_unpin(table);
    if (rc == MR_ENOENT)
        return table_dropped(table, err);
    if (rc != MR_OK)
        return fail(err, rc, store);
    add_tally(store, a.tally, count);
    note_growth(store, a.logged);
    if (a.quiet)
        wal_notify(store->wal, waiter_of(commit));
    return MR_OK;
}

int store_append(struct store_table *table, struct store_record *records, size_t count,
                 struct store_commit *commit, struct mr_error *err)
{
    return append_any(table, records, count, commit, false, err);
}

int store_append_wait(struct store_table *table, struct store_record *records, size_t count,
                      struct store_commit *commit, struct mr_error *err)
{
    return append_any(table, records, count, commit, true, err);
}
