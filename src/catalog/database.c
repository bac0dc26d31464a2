#include "catalog/parts.h"

/* ---- reads
 * ---------------------------------------------------------------------------------------------------- */

int copy_database(const struct mirror_database *d, struct mr_arena *arena, struct catalog_database *out)
{
    *out = (struct catalog_database){
        .id = d->id,
        .name = mr_arena_dup(arena, d->node.name),
        .kms_key = mr_arena_dup(arena, mr_str_of(d->kms_key)),
        .created = d->created,
        .updated = d->updated,
        .table_count = d->tables.count,
    };
    return out->name.ptr == NULL || out->kms_key.ptr == NULL ? MR_ENOMEM : MR_OK;
}

int catalog_database_get(struct catalog *c, struct mr_str name, struct mr_arena *arena,
                         struct catalog_database *out)
{
    pthread_rwlock_rdlock(&c->readers);
    const struct mirror_database *d = mirror_database(&c->mirror, name);
    int rc = d == NULL ? MR_ENOENT : copy_database(d, arena, out);
    pthread_rwlock_unlock(&c->readers);
    return rc;
}

int catalog_database_list(struct catalog *c, struct mr_str after, size_t limit, struct mr_arena *arena,
                          struct catalog_database **out, size_t *count, bool *more)
{
    int rc = MR_OK;
    *out = NULL;
    *count = 0;
    *more = false;
    pthread_rwlock_rdlock(&c->readers);
    const struct mirror_index *all = &c->mirror.databases;
    size_t at = 0;
    if (after.ptr != NULL && mirror_find(all, after, &at))
        at++;
    size_t n = all->count - at < limit ? all->count - at : limit;
    struct catalog_database *list = MR_ARENA_ARRAY(arena, n != 0 ? n : 1, struct catalog_database);
    if (list == NULL)
        rc = MR_ENOMEM;
    for (size_t i = 0; i < n && rc == MR_OK; i++)
        rc = copy_database((const struct mirror_database *)all->at[at + i], arena, &list[i]);
    if (rc == MR_OK) {
        *out = list;
        *count = n;
        *more = at + n < all->count;
    }
    pthread_rwlock_unlock(&c->readers);
    return rc;
}

/* ---- changes
 * -------------------------------------------------------------------------------------------------- */

/* The statements of a create, and all that may fail after them; nothing is visible yet. */
static int create_prepare(struct catalog *c, struct mirror_database *d, const struct mr_pair *tags,
                          size_t ntags, struct mr_arena *arena, struct catalog_database *out,
                          struct mr_error *err)
{
    int rc = change_reserve(c, &c->mirror.databases, err);
    if (rc == MR_OK)
        rc = db_run(&c->db, DB_DATABASE_INSERT,
                    DB_ARGS(db_text(d->node.name), db_text(mr_str_of(d->kms_key)), db_int(d->created)), err);
    if (rc != MR_OK)
        return rc;
    d->id = (uint64_t)sqlite3_last_insert_rowid(c->db.handle);
    rc = tags_insert(c, DB_DATABASE_TAG_PUT, d->id, tags, ntags, err);
    if (rc == MR_OK &&
        (mirror_tags_new(tags, ntags, &d->tags) != MR_OK || copy_database(d, arena, out) != MR_OK))
        rc = mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    return rc;
}

int catalog_database_create(struct catalog *c, struct mr_str name, struct mr_str kms_key,
                            const struct mr_pair *tags, size_t ntags, struct mr_arena *arena,
                            struct catalog_database *out, struct mr_error *err)
{
    size_t at = 0;
    struct mirror_database *d = mirror_database_new(name, kms_key);
    if (d == NULL)
        return mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    d->created = d->updated = mr_clock_wall(c->clock);
    int rc = change_begin(c, err);
    if (rc == MR_OK && mirror_find(&c->mirror.databases, name, &at))
        rc = MR_EEXIST;
    if (rc == MR_OK && c->max_databases != 0 && c->mirror.databases.count >= c->max_databases)
        rc = mr_error_set(err, MR_ELIMIT, "catalog: %llu databases", (unsigned long long)c->max_databases);
    if (rc == MR_OK)
        rc = create_prepare(c, d, tags, ntags, arena, out, err);
    if (rc == MR_OK)
        rc = change_commit(c, err);
    if (rc == MR_OK) {
        publish_begin(c);
        mirror_insert(&c->mirror.databases, at, &d->node);
        publish_end(c);
        d = NULL;
    }
    change_end(c);
    mirror_database_free(d);
    return rc;
}

static int set_key(struct catalog *c, struct mirror_database *d, char **kms_key, struct mr_arena *arena,
                   struct catalog_database *out, struct mr_error *err)
{
    int64_t now = mr_clock_wall(c->clock);
    struct mr_str key = mr_str_of(*kms_key);
    out->kms_key = mr_arena_dup(arena, key);
    out->updated = now;
    if (out->kms_key.ptr == NULL)
        return mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    int rc = db_run(&c->db, DB_DATABASE_KEY, DB_ARGS(db_id(d->id), db_text(key), db_int(now)), err);
    if (rc == MR_OK)
        rc = change_commit(c, err);
    if (rc != MR_OK)
        return rc;
    publish_begin(c);
    char *old = d->kms_key;
    d->kms_key = *kms_key;
    d->updated = now;
    publish_end(c);
    *kms_key = old;
    return MR_OK;
}

int catalog_database_update(struct catalog *c, struct mr_str name, struct mr_str kms_key,
                            struct mr_arena *arena, struct catalog_database *out, struct mr_error *err)
{
    char *fresh = mr_strndup(kms_key.ptr, kms_key.len);
    if (fresh == NULL)
        return mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    int rc = change_begin(c, err);
    struct mirror_database *d = rc == MR_OK ? mirror_database(&c->mirror, name) : NULL;
    if (rc == MR_OK && d == NULL)
        rc = MR_ENOENT;
    if (rc == MR_OK && copy_database(d, arena, out) != MR_OK)
        rc = mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    if (rc == MR_OK && !mr_str_eq(mr_str_of(d->kms_key), kms_key))
        rc = set_key(c, d, &fresh, arena, out, err);
    change_end(c);
    mr_free(fresh);
    return rc;
}

int catalog_database_delete(struct catalog *c, struct mr_str name, struct mr_error *err)
{
    size_t at = 0;
    struct mirror_database *gone = NULL;
    int rc = change_begin(c, err);
    if (rc == MR_OK && !mirror_find(&c->mirror.databases, name, &at))
        rc = MR_ENOENT;
    if (rc == MR_OK) {
        const struct mirror_database *d = (const struct mirror_database *)c->mirror.databases.at[at];
        if (d->tables.count != 0)
            rc = MR_EBUSY;
        else
            rc = db_run(&c->db, DB_DATABASE_DELETE, DB_ARGS(db_id(d->id)), err);
    }
    if (rc == MR_OK)
        rc = change_commit(c, err);
    if (rc == MR_OK) {
        publish_begin(c);
        gone = (struct mirror_database *)mirror_remove(&c->mirror.databases, at);
        publish_end(c);
    }
    change_end(c);
    mirror_database_free(gone);
    return rc;
}
