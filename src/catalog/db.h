/* catalog/db.h - the SQLite file under the catalog: opening and checking it, statements, transactions.
 *
 * One connection, used by one thread at a time (the catalog's writer lock). Every statement is prepared once,
 * at open. A failed statement leaves the transaction open; db_rollback ends it.
 *
 * The log is written back into the file with every commit. A write-back whose sync failed is the last one of
 * the process: the kernel calls such pages clean, and a second try would succeed without having written them.
 * The log keeps everything from then on, and the next start writes it back.
 */
#ifndef MR_CATALOG_DB_H
#define MR_CATALOG_DB_H

#include "base/base.h"

#include <sqlite3.h>

#define DB_FORMAT 2                  /* user_version */
#define DB_FORMAT_UNSUMMED 1         /* without sums.h's table and triggers, which are added at open */
#define DB_APPLICATION_ID 0x4D524354 /* "MRCT" */

#define DB_TABLE_COLUMNS                                                                                     \
    "id, database_id, name, memory_hours, magnetic_days, magnetic_writes, rejected_bucket, "                 \
    "rejected_prefix, "                                                                                      \
    "rejected_kms_key, rejected_encryption, partition_dimension, enforcement, created, updated"

/* Every statement the catalog ever runs on an open file. */
#define DB_STATEMENTS(X)                                                                                     \
    X(DB_BEGIN, "BEGIN IMMEDIATE")                                                                           \
    X(DB_COMMIT, "COMMIT")                                                                                   \
    X(DB_ROLLBACK, "ROLLBACK")                                                                               \
    X(DB_DATABASES, "SELECT id, name, kms_key, created, updated FROM databases ORDER BY name")               \
    X(DB_DATABASE_INSERT, "INSERT INTO databases (name, kms_key, created, updated) VALUES (?1, ?2, ?3, ?3)") \
    X(DB_DATABASE_KEY, "UPDATE databases SET kms_key = ?2, updated = ?3 WHERE id = ?1")                      \
    X(DB_DATABASE_DELETE, "DELETE FROM databases WHERE id = ?1")                                             \
    X(DB_DATABASE_TAGS, "SELECT database_id, key, value FROM database_tags ORDER BY database_id, key")       \
    X(DB_DATABASE_TAG_PUT, "INSERT INTO database_tags (database_id, key, value) VALUES (?1, ?2, ?3) "        \
                           "ON CONFLICT DO UPDATE SET value = excluded.value")                               \
    X(DB_DATABASE_TAG_DELETE, "DELETE FROM database_tags WHERE database_id = ?1 AND key = ?2")               \
    X(DB_TABLES, "SELECT " DB_TABLE_COLUMNS " FROM tables ORDER BY database_id, name")                       \
    X(DB_TABLE_INSERT, "INSERT INTO tables (database_id, name, memory_hours, magnetic_days, "                \
                       "magnetic_writes, rejected_bucket, rejected_prefix, rejected_kms_key, "               \
                       "rejected_encryption, partition_dimension, enforcement, created, updated) "           \
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)")                    \
    X(DB_TABLE_UPDATE, "UPDATE tables SET memory_hours = ?2, magnetic_days = ?3, magnetic_writes = ?4, "     \
                       "rejected_bucket = ?5, rejected_prefix = ?6, rejected_kms_key = ?7, "                 \
                       "rejected_encryption = ?8, enforcement = ?9, updated = ?10 WHERE id = ?1")            \
    X(DB_TABLE_DELETE, "DELETE FROM tables WHERE id = ?1")                                                   \
    X(DB_TABLE_TAGS, "SELECT table_id, key, value FROM table_tags ORDER BY table_id, key")                   \
    X(DB_TABLE_TAG_PUT, "INSERT INTO table_tags (table_id, key, value) VALUES (?1, ?2, ?3) "                 \
                        "ON CONFLICT DO UPDATE SET value = excluded.value")                                  \
    X(DB_TABLE_TAG_DELETE, "DELETE FROM table_tags WHERE table_id = ?1 AND key = ?2")                        \
    X(DB_DROPPED, "SELECT table_id FROM dropped_tables ORDER BY table_id")                                   \
    X(DB_DROPPED_INSERT, "INSERT INTO dropped_tables (table_id) VALUES (?1)")                                \
    X(DB_DROPPED_DELETE, "DELETE FROM dropped_tables WHERE table_id = ?1")                                   \
    X(DB_SETTINGS, "SELECT name, value FROM settings ORDER BY name")                                         \
    X(DB_SETTING_PUT, "INSERT INTO settings (name, value) VALUES (?1, ?2) "                                  \
                      "ON CONFLICT DO UPDATE SET value = excluded.value")

enum db_statement {
#define DB_ENUM(name, sql) name,
    DB_STATEMENTS(DB_ENUM)
#undef DB_ENUM
        DB_STATEMENT_COUNT
};

struct db {
    sqlite3 *handle;
    sqlite3_stmt *statements[DB_STATEMENT_COUNT];
    bool no_checkpoint; /* one failed */
};

/* The status of SQLite's result code on this connection. */
enum mr_status db_status(sqlite3 *handle, int rc);

/* Opens or makes the file, checks its format and integrity, prepares the statements. On failure *db is
 * released. */
int db_open(struct db *db, const char *path, struct mr_error *err);
/* SQLite's check of all pages, indexes and references, and the sum of all rows. MR_ECORRUPT. */
int db_check_integrity(struct db *db, const char *path, struct mr_error *err);
void db_close(struct db *db); /* also on a zeroed struct */

/* A parameter. Text that is MR_STR_NULL is NULL. */
struct db_arg {
    enum { DB_INT, DB_TEXT, DB_BLOB } kind;
    int64_t number;
    struct mr_str bytes;
};
struct db_arg db_int(int64_t number);
struct db_arg db_id(uint64_t id);
struct db_arg db_text(struct mr_str text);
struct db_arg db_blob(struct mr_str bytes);
#define DB_ARGS(...)                                                                                         \
    (const struct db_arg[]){__VA_ARGS__}, MR_ARRAY_LEN(((const struct db_arg[]){__VA_ARGS__}))

/* Runs a statement that returns no rows. */
int db_run(struct db *db, enum db_statement which, const struct db_arg *args, size_t nargs,
           struct mr_error *err);
/* Calls fn for each row; a status of fn other than MR_OK stops and is returned. */
int db_each(struct db *db, enum db_statement which, int (*fn)(void *arg, sqlite3_stmt *row), void *arg,
            struct mr_error *err);

/* A text or blob column: MR_STR_NULL for NULL, never NULL otherwise unless memory ran out (*nomem is set
 * then). */
struct mr_str db_column(sqlite3_stmt *row, int column, bool *nomem);

int db_begin(struct db *db, struct mr_error *err);
/* Ends the transaction on disk, synced; when it fails, the transaction is undone. */
int db_commit(struct db *db, struct mr_error *err);
void db_rollback(struct db *db); /* nothing when no transaction is open */

#endif
