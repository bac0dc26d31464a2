/* catalog/catalog.h - databases, tables, tags and account settings, durable in SQLite.
 *
 * Reads are served from memory under a lock that no writer holds while it waits for the disk; changes are in
 * the database file, synced, before they are visible. So reads may be made on an I/O thread, changes may not.
 * Names are compared as bytes. Every struct returned is a copy in the caller's arena.
 *
 * Errors of every change: MR_ENOSPC (disk full), MR_EIO, MR_ENOMEM; after each of them nothing has changed.
 * The bytes on disk are described in docs/format/catalog.md. Thread-safe throughout.
 */
#ifndef MR_CATALOG_CATALOG_H
#define MR_CATALOG_CATALOG_H

#include "base/clock.h"

struct catalog;

struct catalog_database {
    uint64_t id; /* never reused */
    struct mr_str name;
    struct mr_str kms_key;    /* as given or the default alias; ARN form is made where it is shown */
    int64_t created, updated; /* wall ns */
    uint64_t table_count;
};

enum catalog_enforcement { CATALOG_ENFORCE_NONE = 0, CATALOG_ENFORCE_OPTIONAL, CATALOG_ENFORCE_REQUIRED };

struct catalog_table {
    uint64_t id, database_id; /* never reused */
    struct mr_str database, name;
    int64_t memory_hours, magnetic_days;
    bool magnetic_writes;
    struct mr_str rejected_bucket, rejected_prefix, rejected_kms_key; /* MR_STR_NULL when not given */
    int rejected_encryption;              /* 0 none given, else the model's enum value */
    struct mr_str partition_dimension;    /* MR_STR_NULL: partitioned by measure name */
    enum catalog_enforcement enforcement; /* of the dimension key, as given; NONE when it was left out */
    int64_t created, updated;             /* wall ns */
};

/* What an update changes; members not set stay. */
struct catalog_table_change {
    bool set_retention, set_magnetic, set_enforcement;
    int64_t memory_hours, magnetic_days;
    bool magnetic_writes;
    struct mr_str rejected_bucket, rejected_prefix, rejected_kms_key;
    int rejected_encryption;
    enum catalog_enforcement enforcement;
};

/* Opens or makes <dir>/catalog.sqlite (journal in WAL mode, synchronous=FULL, written back with every change)
 * and checks all of it. MR_ECORRUPT: the file fails the check; MR_EUNSUPPORTED: it has the format of another
 * version; MR_EBUSY: another process has it. */
int catalog_open(const char *dir, const struct mr_clock *clock, struct catalog **out, struct mr_error *err);
void catalog_close(struct catalog *catalog);

/* The whole database file as bytes, appended to `out`, as it is at one moment. `moment` (may be NULL) runs at
 * it: no change of the catalog is under way or begins before it has returned, so what it takes down of other
 * rooms fits the copy. What it returns other than MR_OK ends the copy. MR_ENOMEM. */
int catalog_copy(struct catalog *c, struct mr_buf *out, int (*moment)(void *ctx, struct mr_error *err),
                 void *ctx, struct mr_error *err);

/* Largest numbers of databases and tables; a create beyond them answers MR_ELIMIT. Without this call: none.
 */
void catalog_set_limits(struct catalog *c, uint64_t max_databases, uint64_t max_tables);

/* ---- reads: no disk ---- */
int catalog_database_get(struct catalog *c, struct mr_str name, struct mr_arena *arena,
                         struct catalog_database *out);
/* MR_ENOENT with *missing_database telling which of the two names is unknown (may be NULL). */
int catalog_table_get(struct catalog *c, struct mr_str database, struct mr_str table, struct mr_arena *arena,
                      struct catalog_table *out, bool *missing_database);
/* Up to `limit` entries with names after `after` (MR_STR_NULL: from the start), ascending by bytes; tables of
 * all databases are ordered by (database, table), and `after` is then the pair. *more: others follow. */
int catalog_database_list(struct catalog *c, struct mr_str after, size_t limit, struct mr_arena *arena,
                          struct catalog_database **out, size_t *count, bool *more);
int catalog_table_list(struct catalog *c, struct mr_str database /* MR_STR_NULL: all */,
                       struct mr_str after_database, struct mr_str after_table, size_t limit,
                       struct mr_arena *arena, struct catalog_table **out, size_t *count, bool *more);
/* 64 bits that change with every change of any database or table: plans are cached under it. */
uint64_t catalog_version(struct catalog *c);
void catalog_counts(struct catalog *c, uint64_t *databases, uint64_t *tables);

/* ---- changes: durable when they return ---- */
int catalog_database_create(struct catalog *c, struct mr_str name, struct mr_str kms_key,
                            const struct mr_pair *tags, size_t ntags, struct mr_arena *arena,
                            struct catalog_database *out, struct mr_error *err);
/* The key as it is already: MR_OK, and `updated` stays. */
int catalog_database_update(struct catalog *c, struct mr_str name, struct mr_str kms_key,
                            struct mr_arena *arena, struct catalog_database *out, struct mr_error *err);
/* MR_ENOENT, or MR_EBUSY while it has tables. */
int catalog_database_delete(struct catalog *c, struct mr_str name, struct mr_error *err);

/* table->id, database_id, created and updated are set by the call; MR_ENOENT: no such database; MR_EEXIST. */
int catalog_table_create(struct catalog *c, struct catalog_table *table, const struct mr_pair *tags,
                         size_t ntags, struct mr_error *err);
/* A change with nothing set: MR_OK, and `updated` stays. set_magnetic replaces the flag and all of
 * rejected_*. */
int catalog_table_update(struct catalog *c, struct mr_str database, struct mr_str table,
                         const struct catalog_table_change *change, struct mr_arena *arena,
                         struct catalog_table *out, struct mr_error *err);
/* Removes the table and returns its id, so that the store can forget its data. A crash in between leaves an
 * id that catalog_dropped_tables lists at the next start. */
int catalog_table_delete(struct catalog *c, struct mr_str database, struct mr_str table, uint64_t *id,
                         struct mr_error *err);
int catalog_dropped_tables(struct catalog *c, struct mr_arena *arena, uint64_t **ids, size_t *count);
int catalog_dropped_done(struct catalog *c, uint64_t id, struct mr_error *err);

/* Tags by resource: the key is a database or table ARN's path ("database/x" or "database/x/table/y");
 * MR_ENOENT when there is no such resource. They go with the resource. Listed by key, ascending; reading them
 * needs no disk. */
int catalog_tags_list(struct catalog *c, struct mr_str resource, struct mr_arena *arena, struct mr_pair **out,
                      size_t *count);
/* MR_ELIMIT when the resource would have more than `max` tags. */
int catalog_tags_put(struct catalog *c, struct mr_str resource, const struct mr_pair *tags, size_t ntags,
                     size_t max, struct mr_error *err);
int catalog_tags_remove(struct catalog *c, struct mr_str resource, const struct mr_str *keys, size_t nkeys,
                        struct mr_error *err);

/* Small named values, any bytes (account settings, the server's identity, token keys). MR_ENOENT when absent.
 * Reading needs no disk. */
int catalog_setting_get(struct catalog *c, const char *name, struct mr_arena *arena, struct mr_str *value);
int catalog_setting_put(struct catalog *c, const char *name, struct mr_str value, struct mr_error *err);

/* ---- care ---- */

/* The check of an open, of the file as it lies on the disk. MR_ECORRUPT. Changes wait for it. */
int catalog_verify(struct catalog *c, struct mr_error *err);

/* What a check of a catalog that nobody has open says. Views last for the call. */
struct catalog_check_sink {
    void *ctx;
    void (*fault)(void *ctx, const char *text);                   /* damage; at most 100 of each kind */
    void (*database)(void *ctx, uint64_t id, struct mr_str name); /* databases come before tables */
    void (*table)(void *ctx, uint64_t id, uint64_t database_id, struct mr_str name);
    void (*dropped)(void *ctx, uint64_t id);
};
/* SQLite's own check of every page and index, its foreign keys, then what the rows say. Nothing is made or
 * changed. MR_OK: it was read, whatever was found. MR_ENOENT: no such file. MR_ECORRUPT: it cannot be read at
 * all. MR_EUNSUPPORTED: the format of another version. MR_EBUSY: another process has it. */
int catalog_check(const char *dir, const struct catalog_check_sink *sink, struct mr_error *err);

#endif
