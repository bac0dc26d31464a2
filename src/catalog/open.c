#include "catalog/parts.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- loading: the file's rows, in index order, become the mirror
 * ---------------------------------------------- */

struct load {
    struct mirror *mirror;
    struct mirror_database *last; /* found by database_by_id; rows come grouped by database */
    struct mr_buf tags;           /* struct mr_pair of the owner being read; the bytes are in `arena` */
    struct mr_arena arena;
    uint64_t owner;
    struct mirror_tags **(*owner_tags)(struct load *load, uint64_t id);
    struct mirror_table **tables; /* by id, for their tags */
    size_t ntables, tables_cap;
};

static int append(struct mirror_index *index, struct mirror_node *node)
{
    if (mirror_reserve(index) != MR_OK)
        return MR_ENOMEM;
    mirror_insert(index, index->count, node);
    return MR_OK;
}

static int load_database(void *arg, sqlite3_stmt *row)
{
    struct load *load = arg;
    bool nomem = false;
    struct mr_str name = db_column(row, 1, &nomem), kms_key = db_column(row, 2, &nomem);
    struct mirror_database *d = nomem ? NULL : mirror_database_new(name, kms_key);
    if (d == NULL)
        return MR_ENOMEM;
    d->id = (uint64_t)sqlite3_column_int64(row, 0);
    d->created = sqlite3_column_int64(row, 3);
    d->updated = sqlite3_column_int64(row, 4);
    if (append(&load->mirror->databases, &d->node) != MR_OK) {
        mirror_database_free(d);
        return MR_ENOMEM;
    }
    return MR_OK;
}

/* Never NULL: foreign keys were checked at open. */
static struct mirror_database *database_by_id(struct load *load, uint64_t id)
{
    const struct mirror_index *all = &load->mirror->databases;
    for (size_t i = 0; i < all->count && (load->last == NULL || load->last->id != id); i++)
        load->last = (struct mirror_database *)all->at[i];
    MR_ASSERT(load->last != NULL && load->last->id == id);
    return load->last;
}

static int load_table(void *arg, sqlite3_stmt *row)
{
    struct load *load = arg;
    bool nomem = false;
    struct catalog_table t = {
        .id = (uint64_t)sqlite3_column_int64(row, 0),
        .database_id = (uint64_t)sqlite3_column_int64(row, 1),
        .name = db_column(row, 2, &nomem),
        .memory_hours = sqlite3_column_int64(row, 3),
        .magnetic_days = sqlite3_column_int64(row, 4),
        .magnetic_writes = sqlite3_column_int(row, 5) != 0,
        .rejected_bucket = db_column(row, 6, &nomem),
        .rejected_prefix = db_column(row, 7, &nomem),
        .rejected_kms_key = db_column(row, 8, &nomem),
        .rejected_encryption = sqlite3_column_int(row, 9),
        .partition_dimension = db_column(row, 10, &nomem),
        .enforcement = (enum catalog_enforcement)sqlite3_column_int(row, 11),
        .created = sqlite3_column_int64(row, 12),
        .updated = sqlite3_column_int64(row, 13),
    };
    struct mirror_database *d = database_by_id(load, t.database_id);
    struct mirror_table *made = nomem ? NULL : mirror_table_new(&t);
    if (made == NULL)
        return MR_ENOMEM;
    if (mr_grow((void **)&load->tables, &load->tables_cap, load->ntables + 1, sizeof(*load->tables)) !=
            MR_OK ||
        append(&d->tables, &made->node) != MR_OK) {
        mirror_table_free(made);
        return MR_ENOMEM;
    }
    load->tables[load->ntables++] = made;
    load->mirror->tables++;
    return MR_OK;
}

static int load_setting(void *arg, sqlite3_stmt *row)
{
    struct load *load = arg;
    bool nomem = false;
    struct mr_str name = db_column(row, 0, &nomem), value = db_column(row, 1, &nomem);
    struct mirror_setting *s = nomem ? NULL : mirror_setting_new(name, value);
    if (s == NULL)
        return MR_ENOMEM;
    if (append(&load->mirror->settings, &s->node) != MR_OK) {
        mr_free(s);
        return MR_ENOMEM;
    }
    return MR_OK;
}

/* ---- tags: rows come ordered by owner; an owner's set is made when its last row was read
 * ----------------------- */

static struct mirror_tags **database_tags(struct load *load, uint64_t id)
{
    return &database_by_id(load, id)->tags;
}

static int by_table_id(const void *a, const void *b)
{
    uint64_t x = (*(struct mirror_table *const *)a)->row.id, y = (*(struct mirror_table *const *)b)->row.id;
    return x < y ? -1 : x > y;
}

static struct mirror_tags **table_tags(struct load *load, uint64_t id)
{
    size_t low = 0, high = load->ntables;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (load->tables[mid]->row.id < id)
            low = mid + 1;
        else
            high = mid;
    }
    MR_ASSERT(low < load->ntables && load->tables[low]->row.id == id);
    return &load->tables[low]->tags;
}

static int finish_owner(struct load *load)
{
    if (load->tags.len == 0)
        return MR_OK;
    int rc = mirror_tags_new((const struct mr_pair *)load->tags.ptr, load->tags.len / sizeof(struct mr_pair),
                             load->owner_tags(load, load->owner));
    load->tags.len = 0;
    mr_arena_reset(&load->arena);
    return rc;
}

static int load_tag(void *arg, sqlite3_stmt *row)
{
    struct load *load = arg;
    bool nomem = false;
    uint64_t owner = (uint64_t)sqlite3_column_int64(row, 0);
    if (owner != load->owner && finish_owner(load) != MR_OK)
        return MR_ENOMEM;
    load->owner = owner;
    struct mr_pair tag = {mr_arena_dup(&load->arena, db_column(row, 1, &nomem)),
                          mr_arena_dup(&load->arena, db_column(row, 2, &nomem))};
    mr_buf_add(&load->tags, &tag, sizeof tag);
    return nomem || load->arena.failed || !mr_buf_ok(&load->tags) ? MR_ENOMEM : MR_OK;
}

static int load_tags(struct load *load, struct db *db, enum db_statement which,
                     struct mirror_tags **(*owner_tags)(struct load *load, uint64_t id), struct mr_error *err)
{
    load->owner_tags = owner_tags;
    int rc = db_each(db, which, load_tag, load, err);
    return rc == MR_OK ? finish_owner(load) : rc;
}

static int load_mirror(struct catalog *c, struct mr_error *err)
{
    struct load load = {.mirror = &c->mirror, .arena = MR_ARENA_INIT};
    int rc = db_each(&c->db, DB_DATABASES, load_database, &load, err);
    if (rc == MR_OK)
        rc = db_each(&c->db, DB_TABLES, load_table, &load, err);
    if (rc == MR_OK)
        rc = load_tags(&load, &c->db, DB_DATABASE_TAGS, database_tags, err);
    if (rc == MR_OK && load.ntables != 0)
        qsort(load.tables, load.ntables, sizeof(struct mirror_table *), by_table_id);
    if (rc == MR_OK)
        rc = load_tags(&load, &c->db, DB_TABLE_TAGS, table_tags, err);
    if (rc == MR_OK)
        rc = db_each(&c->db, DB_SETTINGS, load_setting, &load, err);
    mr_free(load.tables);
    mr_buf_release(&load.tags);
    mr_arena_release(&load.arena);
    return rc == MR_OK ? MR_OK : mr_error_set(err, rc, "catalog: reading it: %s", mr_status_name(rc));
}

/* ---- lifetime
 * ------------------------------------------------------------------------------------------------- */

/* A writer waits for readers of the moment, not for all that keep coming. */
static void init_locks(struct catalog *c)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&c->readers, &attr);
    pthread_rwlockattr_destroy(&attr);
    pthread_mutex_init(&c->writer, NULL);
}

int catalog_open(const char *dir, const struct mr_clock *clock, struct catalog **out, struct mr_error *err)
{
    char path[4096];
    *out = NULL;
    int len = snprintf(path, sizeof path, "%s/catalog.sqlite", dir);
    if (len < 0 || (size_t)len >= sizeof path)
        return mr_error_set(err, MR_EINVAL, "catalog: the path of the data directory is too long");
    struct catalog *c = mr_calloc(1, sizeof(*c));
    if (c == NULL)
        return mr_error_set(err, MR_ENOMEM, "catalog: out of memory");
    c->clock = clock;
    atomic_init(&c->version, 1);
    init_locks(c);
    int rc = db_open(&c->db, path, err);
    if (rc == MR_OK)
        rc = load_mirror(c, err);
    if (rc != MR_OK) {
        catalog_close(c);
        return rc;
    }
    *out = c;
    return MR_OK;
}

void catalog_close(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    db_close(&catalog->db);
    mirror_release(&catalog->mirror);
    pthread_rwlock_destroy(&catalog->readers);
    pthread_mutex_destroy(&catalog->writer);
    mr_free(catalog);
}

void catalog_set_limits(struct catalog *c, uint64_t max_databases, uint64_t max_tables)
{
    pthread_mutex_lock(&c->writer);
    c->max_databases = max_databases;
    c->max_tables = max_tables;
    pthread_mutex_unlock(&c->writer);
}

uint64_t catalog_version(struct catalog *c)
{
    return atomic_load_explicit(&c->version, memory_order_acquire);
}

void catalog_counts(struct catalog *c, uint64_t *databases, uint64_t *tables)
{
    pthread_rwlock_rdlock(&c->readers);
    *databases = c->mirror.databases.count;
    *tables = c->mirror.tables;
    pthread_rwlock_unlock(&c->readers);
}
