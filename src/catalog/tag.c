#include "catalog/parts.h"

/* ---- the resource behind a path
 * ------------------------------------------------------------------------------- */

struct owner {
    bool table;
    uint64_t id;
    struct mirror_tags **tags;
};

/* "database/<d>" or "database/<d>/table/<t>"; names hold no slash. */
static bool split_path(struct mr_str path, struct mr_str *database, struct mr_str *table)
{
    const struct mr_str head = MR_STR("database/"), middle = MR_STR("/table/");
    *table = MR_STR_NULL;
    if (!mr_str_starts(path, head))
        return false;
    *database = mr_str_slice(path, head.len, path.len);
    size_t slash = mr_str_find(*database, '/', 0);
    if (slash == database->len)
        return true;
    struct mr_str rest = mr_str_slice(*database, slash, database->len);
    *database = mr_str_slice(*database, 0, slash);
    if (!mr_str_starts(rest, middle))
        return false;
    *table = mr_str_slice(rest, middle.len, rest.len);
    return true;
}

static bool find_owner(struct mirror *mirror, struct mr_str path, struct owner *out)
{
    struct mr_str database, table;
    if (!split_path(path, &database, &table))
        return false;
    struct mirror_database *d = mirror_database(mirror, database);
    if (d == NULL)
        return false;
    if (table.ptr == NULL) {
        *out = (struct owner){false, d->id, &d->tags};
        return true;
    }
    struct mirror_table *t = mirror_table(d, table);
    if (t == NULL)
        return false;
    *out = (struct owner){true, t->row.id, &t->tags};
    return true;
}

/* ---- reads
 * ---------------------------------------------------------------------------------------------------- */

int catalog_tags_list(struct catalog *c, struct mr_str resource, struct mr_arena *arena, struct mr_pair **out,
                      size_t *count)
{
    struct owner owner;
    int rc = MR_OK;
    *out = NULL;
    *count = 0;
    pthread_rwlock_rdlock(&c->readers);
    if (!find_owner(&c->mirror, resource, &owner))
        rc = MR_ENOENT;
    if (rc == MR_OK && *owner.tags != NULL) {
        const struct mirror_tags *tags = *owner.tags;
        struct mr_pair *list = MR_ARENA_ARRAY(arena, tags->count, struct mr_pair);
        for (size_t i = 0; i < tags->count && list != NULL; i++)
            list[i] = (struct mr_pair){mr_arena_dup(arena, tags->at[i].name),
                                       mr_arena_dup(arena, tags->at[i].value)};
        if (list == NULL || arena->failed) {
            rc = MR_ENOMEM;
        } else {
            *out = list;
            *count = tags->count;
        }
    }
    pthread_rwlock_unlock(&c->readers);
    return rc;
}

/* ---- changes
 * -------------------------------------------------------------------------------------------------- */

int tags_insert(struct catalog *c, enum db_statement put, uint64_t id, const struct mr_pair *tags,
                size_t ntags, struct mr_error *err)
{
    int rc = MR_OK;
    for (size_t i = 0; i < ntags && rc == MR_OK; i++)
        rc = db_run(&c->db, put, DB_ARGS(db_id(id), db_text(tags[i].name), db_text(tags[i].value)), err);
    return rc;
}

static size_t find_pair(const struct mr_pair *pairs, size_t n, struct mr_str key)
{
    size_t i = 0;
    while (i < n && !mr_str_eq(pairs[i].name, key))
        i++;
    return i;
}

/* Commits and swaps the new set in; the old one comes back in *set. */
static int publish_tags(struct catalog *c, struct mirror_tags **place, struct mirror_tags **set,
                        struct mr_error *err)
{
    int rc = change_commit(c, err);
    if (rc != MR_OK)
        return rc;
    publish_begin(c);
    struct mirror_tags *old = *place;
    *place = *set;
    publish_end(c);
    *set = old;
    return MR_OK;
}

/* The old set with the given ones added or overwritten; views only. */
static int merge(const struct mirror_tags *old, const struct mr_pair *tags, size_t ntags,
                 struct mr_pair **out, size_t *count)
{
    size_t n = old != NULL ? old->count : 0;
    struct mr_pair *all = mr_calloc(n + ntags + 1, sizeof(*all));
    if (all == NULL)
        return MR_ENOMEM;
    if (n != 0)
        memcpy(all, old->at, n * sizeof(*all));
    for (size_t i = 0; i < ntags; i++) {
        size_t at = find_pair(all, n, tags[i].name);
        all[at] = tags[i];
        if (at == n)
            n++;
    }
    *out = all;
    *count = n;
    return MR_OK;
}

static int put_tags(struct catalog *c, const struct owner *owner, const struct mr_pair *tags, size_t ntags,
                    size_t max, struct mirror_tags **set, struct mr_error *err)
{
    struct mr_pair *all = NULL;
    size_t n = 0;
    int rc = merge(*owner->tags, tags, ntags, &all, &n);
    if (rc == MR_OK && n > max)
        rc = mr_error_set(err, MR_ELIMIT, "catalog: more than %zu tags", max);
    if (rc == MR_OK)
        rc = mirror_tags_new(all, n, set);
    if (rc == MR_ENOMEM)
        mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    if (rc == MR_OK)
        rc = tags_insert(c, owner->table ? DB_TABLE_TAG_PUT : DB_DATABASE_TAG_PUT, owner->id, tags, ntags,
                         err);
    if (rc == MR_OK)
        rc = publish_tags(c, owner->tags, set, err);
    mr_free(all);
    return rc;
}

int catalog_tags_put(struct catalog *c, struct mr_str resource, const struct mr_pair *tags, size_t ntags,
                     size_t max, struct mr_error *err)
{
    struct owner owner;
    struct mirror_tags *set = NULL;
    int rc = change_begin(c, err);
    if (rc == MR_OK && !find_owner(&c->mirror, resource, &owner))
        rc = MR_ENOENT;
    if (rc == MR_OK)
        rc = put_tags(c, &owner, tags, ntags, max, &set, err);
    change_end(c);
    mr_free(set);
    return rc;
}

static bool is_among(const struct mr_str *keys, size_t nkeys, struct mr_str key)
{
    for (size_t i = 0; i < nkeys; i++)
        if (mr_str_eq(keys[i], key))
            return true;
    return false;
}

static int remove_tags(struct catalog *c, const struct owner *owner, const struct mr_str *keys, size_t nkeys,
                       struct mirror_tags **set, struct mr_error *err)
{
    enum db_statement delete = owner->table ? DB_TABLE_TAG_DELETE : DB_DATABASE_TAG_DELETE;
    const struct mirror_tags *old = *owner->tags;
    if (old == NULL)
        return MR_OK;
    struct mr_pair *left = mr_calloc(old->count, sizeof(*left));
    if (left == NULL)
        return mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    size_t n = 0;
    int rc = MR_OK;
    for (size_t i = 0; i < old->count && rc == MR_OK; i++) {
        if (is_among(keys, nkeys, old->at[i].name))
            rc = db_run(&c->db, delete, DB_ARGS(db_id(owner->id), db_text(old->at[i].name)), err);
        else
            left[n++] = old->at[i];
    }
    if (rc == MR_OK && mirror_tags_new(left, n, set) != MR_OK)
        rc = mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    if (rc == MR_OK)
        rc = publish_tags(c, owner->tags, set, err);
    mr_free(left);
    return rc;
}

int catalog_tags_remove(struct catalog *c, struct mr_str resource, const struct mr_str *keys, size_t nkeys,
                        struct mr_error *err)
{
    struct owner owner;
    struct mirror_tags *set = NULL;
    int rc = change_begin(c, err);
    if (rc == MR_OK && !find_owner(&c->mirror, resource, &owner))
        rc = MR_ENOENT;
    if (rc == MR_OK)
        rc = remove_tags(c, &owner, keys, nkeys, &set, err);
    change_end(c);
    mr_free(set);
    return rc;
}
