#include "catalog/parts.h"

/* ---- reads
 * ---------------------------------------------------------------------------------------------------- */

static struct mr_str copy(struct mr_arena *arena, struct mr_str s, bool *failed)
{
    if (s.ptr == NULL)
        return s;
    struct mr_str c = mr_arena_dup(arena, s);
    if (c.ptr == NULL)
        *failed = true;
    return c;
}

int copy_table(const struct mirror_table *t, struct mr_str database, struct mr_arena *arena,
               struct catalog_table *out)
{
    bool failed = false;
    *out = t->row;
    out->database = copy(arena, database, &failed);
    out->name = copy(arena, t->row.name, &failed);
    out->rejected_bucket = copy(arena, t->row.rejected_bucket, &failed);
    out->rejected_prefix = copy(arena, t->row.rejected_prefix, &failed);
    out->rejected_kms_key = copy(arena, t->row.rejected_kms_key, &failed);
    out->partition_dimension = copy(arena, t->row.partition_dimension, &failed);
    return failed ? MR_ENOMEM : MR_OK;
}

int catalog_table_get(struct catalog *c, struct mr_str database, struct mr_str table, struct mr_arena *arena,
                      struct catalog_table *out, bool *missing_database)
{
    pthread_rwlock_rdlock(&c->readers);
    const struct mirror_database *d = mirror_database(&c->mirror, database);
    const struct mirror_table *t = d != NULL ? mirror_table(d, table) : NULL;
    int rc = t == NULL ? MR_ENOENT : copy_table(t, d->node.name, arena, out);
    pthread_rwlock_unlock(&c->readers);
    if (missing_database != NULL)
        *missing_database = d == NULL;
    return rc;
}

/* Where a page begins, and where the listing ends: database positions [first, last), and in the first of them
 * the position of a table. */
struct span {
    size_t first, last, table;
};

static struct span span_of(const struct mirror_index *all, struct mr_str database,
                           struct mr_str after_database, struct mr_str after_table)
{
    struct span s = {0, all->count, 0};
    bool there = true;
    if (database.ptr != NULL) {
        there = mirror_find(all, database, &s.first);
        s.last = there ? s.first + 1 : s.first;
    } else if (after_database.ptr != NULL) {
        there = mirror_find(all, after_database, &s.first);
    }
    if (after_table.ptr != NULL && there && s.first < s.last) {
        const struct mirror_database *d = (const struct mirror_database *)all->at[s.first];
        if (mirror_find(&d->tables, after_table, &s.table))
            s.table++;
    }
    return s;
}

static int copy_page(const struct mirror_index *all, struct span s, size_t limit, struct mr_arena *arena,
                     struct catalog_table *list, size_t *count, bool *more)
{
    for (; s.first < s.last; s.first++, s.table = 0) {
        const struct mirror_database *d = (const struct mirror_database *)all->at[s.first];
        for (; s.table < d->tables.count; s.table++) {
            if (*count == limit) {
                *more = true;
                return MR_OK;
            }
            const struct mirror_table *t = (const struct mirror_table *)d->tables.at[s.table];
            if (copy_table(t, d->node.name, arena, &list[*count]) != MR_OK)
                return MR_ENOMEM;
            (*count)++;
        }
    }
    return MR_OK;
}

int catalog_table_list(struct catalog *c, struct mr_str database, struct mr_str after_database,
                       struct mr_str after_table, size_t limit, struct mr_arena *arena,
                       struct catalog_table **out, size_t *count, bool *more)
{
    int rc = MR_OK;
    *out = NULL;
    *count = 0;
    *more = false;
    pthread_rwlock_rdlock(&c->readers);
    const struct mirror_index *all = &c->mirror.databases;
    size_t at = 0;
    if (database.ptr != NULL && !mirror_find(all, database, &at))
        rc = MR_ENOENT;
    if (rc == MR_OK) {
        size_t n = c->mirror.tables < limit ? c->mirror.tables : limit;
        struct catalog_table *list = MR_ARENA_ARRAY(arena, n != 0 ? n : 1, struct catalog_table);
        rc = list == NULL ? MR_ENOMEM
                          : copy_page(all, span_of(all, database, after_database, after_table), n, arena,
                                      list, count, more);
        *out = list;
    }
    pthread_rwlock_unlock(&c->readers);
    return rc;
}

/* ---- create
 * --------------------------------------------------------------------------------------------------- */

static int insert_row(struct catalog *c, struct catalog_table *t, struct mr_error *err)
{
    int rc = db_run(&c->db, DB_TABLE_INSERT,
                    DB_ARGS(db_id(t->database_id), db_text(t->name), db_int(t->memory_hours),
                            db_int(t->magnetic_days), db_int(t->magnetic_writes), db_text(t->rejected_bucket),
                            db_text(t->rejected_prefix), db_text(t->rejected_kms_key),
                            db_int(t->rejected_encryption), db_text(t->partition_dimension),
                            db_int(t->enforcement), db_int(t->created)),
                    err);
    if (rc == MR_OK)
        t->id = (uint64_t)sqlite3_last_insert_rowid(c->db.handle);
    return rc;
}

static int create_checked(struct catalog *c, struct mirror_database *d, const struct catalog_table *table,
                          const struct mr_pair *tags, size_t ntags, struct mirror_table **out,
                          struct mr_error *err)
{
    struct catalog_table row = *table;
    row.database_id = d->id;
    row.created = row.updated = mr_clock_wall(c->clock);
    int rc = change_reserve(c, &d->tables, err);
    if (rc == MR_OK)
        rc = insert_row(c, &row, err);
    if (rc == MR_OK)
        rc = tags_insert(c, DB_TABLE_TAG_PUT, row.id, tags, ntags, err);
    if (rc != MR_OK)
        return rc;
    *out = mirror_table_new(&row);
    if (*out == NULL || mirror_tags_new(tags, ntags, &(*out)->tags) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    return change_commit(c, err);
}

int catalog_table_create(struct catalog *c, struct catalog_table *table, const struct mr_pair *tags,
                         size_t ntags, struct mr_error *err)
{
    size_t at = 0;
    struct mirror_table *made = NULL;
    int rc = change_begin(c, err);
    struct mirror_database *d = rc == MR_OK ? mirror_database(&c->mirror, table->database) : NULL;
    if (rc == MR_OK && d == NULL)
        rc = MR_ENOENT;
    if (rc == MR_OK && mirror_find(&d->tables, table->name, &at))
        rc = MR_EEXIST;
    if (rc == MR_OK && c->max_tables != 0 && c->mirror.tables >= c->max_tables)
        rc = mr_error_set(err, MR_ELIMIT, "catalog: %llu tables", (unsigned long long)c->max_tables);
    if (rc == MR_OK)
        rc = create_checked(c, d, table, tags, ntags, &made, err);
    if (rc == MR_OK) {
        table->id = made->row.id;
        table->database_id = made->row.database_id;
        table->created = made->row.created;
        table->updated = made->row.updated;
        publish_begin(c);
        mirror_insert(&d->tables, at, &made->node);
        c->mirror.tables++;
        publish_end(c);
        made = NULL;
    }
    change_end(c);
    mirror_table_free(made);
    return rc;
}

/* ---- update
 * --------------------------------------------------------------------------------------------------- */

static void apply(struct catalog_table *row, const struct catalog_table_change *change)
{
    if (change->set_retention) {
        row->memory_hours = change->memory_hours;
        row->magnetic_days = change->magnetic_days;
    }
    if (change->set_magnetic) {
        row->magnetic_writes = change->magnetic_writes;
        row->rejected_bucket = change->rejected_bucket;
        row->rejected_prefix = change->rejected_prefix;
        row->rejected_kms_key = change->rejected_kms_key;
        row->rejected_encryption = change->rejected_encryption;
    }
    if (change->set_enforcement)
        row->enforcement = change->enforcement;
}

static int update_row(struct catalog *c, const struct catalog_table *t, struct mr_error *err)
{
    return db_run(&c->db, DB_TABLE_UPDATE,
                  DB_ARGS(db_id(t->id), db_int(t->memory_hours), db_int(t->magnetic_days),
                          db_int(t->magnetic_writes), db_text(t->rejected_bucket),
                          db_text(t->rejected_prefix), db_text(t->rejected_kms_key),
                          db_int(t->rejected_encryption), db_int(t->enforcement), db_int(t->updated)),
                  err);
}

/* Makes and commits the new row, then swaps it in; the old object comes back in *old. */
static int replace(struct catalog *c, struct mirror_database *d, size_t at,
                   const struct catalog_table_change *change, struct mr_arena *arena,
                   struct catalog_table *out, struct mirror_table **old, struct mr_error *err)
{
    struct mirror_table *t = (struct mirror_table *)d->tables.at[at];
    struct catalog_table row = t->row;
    apply(&row, change);
    row.updated = mr_clock_wall(c->clock);
    *old = mirror_table_new(&row); /* the new one until it is swapped in */
    if (*old == NULL || copy_table(*old, d->node.name, arena, out) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    int rc = update_row(c, &row, err);
    if (rc == MR_OK)
        rc = change_commit(c, err);
    if (rc != MR_OK)
        return rc;
    publish_begin(c);
    (*old)->tags = t->tags;
    t->tags = NULL;
    d->tables.at[at] = &(*old)->node;
    publish_end(c);
    *old = t;
    return MR_OK;
}

int catalog_table_update(struct catalog *c, struct mr_str database, struct mr_str table,
                         const struct catalog_table_change *change, struct mr_arena *arena,
                         struct catalog_table *out, struct mr_error *err)
{
    size_t at = 0;
    struct mirror_table *old = NULL;
    int rc = change_begin(c, err);
    struct mirror_database *d = rc == MR_OK ? mirror_database(&c->mirror, database) : NULL;
    if (rc == MR_OK && (d == NULL || !mirror_find(&d->tables, table, &at)))
        rc = MR_ENOENT;
    if (rc == MR_OK) {
        if (change->set_retention || change->set_magnetic || change->set_enforcement)
            rc = replace(c, d, at, change, arena, out, &old, err);
        else
            rc = copy_table((const struct mirror_table *)d->tables.at[at], d->node.name, arena, out);
    }
    change_end(c);
    mirror_table_free(old);
    return rc;
}

/* ---- delete
 * --------------------------------------------------------------------------------------------------- */

int catalog_table_delete(struct catalog *c, struct mr_str database, struct mr_str table, uint64_t *id,
                         struct mr_error *err)
{
    size_t at = 0;
    struct mirror_table *gone = NULL;
    int rc = change_begin(c, err);
    struct mirror_database *d = rc == MR_OK ? mirror_database(&c->mirror, database) : NULL;
    if (rc == MR_OK && (d == NULL || !mirror_find(&d->tables, table, &at)))
        rc = MR_ENOENT;
    if (rc == MR_OK) {
        *id = ((const struct mirror_table *)d->tables.at[at])->row.id;
        rc = db_run(&c->db, DB_TABLE_DELETE, DB_ARGS(db_id(*id)), err);
    }
    if (rc == MR_OK)
        rc = db_run(&c->db, DB_DROPPED_INSERT, DB_ARGS(db_id(*id)), err);
    if (rc == MR_OK)
        rc = change_commit(c, err);
    if (rc == MR_OK) {
        publish_begin(c);
        gone = (struct mirror_table *)mirror_remove(&d->tables, at);
        c->mirror.tables--;
        publish_end(c);
    }
    change_end(c);
    mirror_table_free(gone);
    return rc;
}
