/* catalog/check.c - the check of a catalog file that no server has open. It reads beside the catalog's own
 * objects: those refuse a damaged file as a whole, and here every fault is to be told. */
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/sums.h"

#include <stdio.h>
#include <unistd.h>

#define FAULTS "100"

struct check {
    sqlite3 *handle;
    const struct catalog_check_sink *sink;
    const char *path;
};

static int fail(const struct check *c, int rc, struct mr_error *err)
{
    return mr_error_set(err, db_status(c->handle, rc), "%s: %s", c->path,
                        c->handle != NULL ? sqlite3_errmsg(c->handle) : sqlite3_errstr(rc));
}

/* Calls fn for each row of the statement. */
static int each(struct check *c, const char *sql, void (*fn)(struct check *c, sqlite3_stmt *row),
                struct mr_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->handle, sql, -1, &stmt, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW)
            fn(c, stmt);
    }
    int status = rc == SQLITE_DONE ? MR_OK : fail(c, rc, err);
    sqlite3_finalize(stmt); /* repeats the step's code */
    return status;
}

static struct mr_str text_of(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return mr_str_of(text != NULL ? text : "");
}

static void on_integrity(struct check *c, sqlite3_stmt *row)
{
    struct mr_str text = text_of(row, 0);
    if (!mr_str_eq(text, MR_STR("ok")))
        c->sink->fault(c->sink->ctx, text.ptr);
}

static void on_foreign_key(struct check *c, sqlite3_stmt *row)
{
    char text[256];
    snprintf(text, sizeof text, "a row of %s refers to nothing in %s", text_of(row, 0).ptr,
             text_of(row, 2).ptr);
    c->sink->fault(c->sink->ctx, text);
}

static void on_database(struct check *c, sqlite3_stmt *row)
{
    c->sink->database(c->sink->ctx, (uint64_t)sqlite3_column_int64(row, 0), text_of(row, 1));
}

static void on_table(struct check *c, sqlite3_stmt *row)
{
    c->sink->table(c->sink->ctx, (uint64_t)sqlite3_column_int64(row, 0),
                   (uint64_t)sqlite3_column_int64(row, 1), text_of(row, 2));
}

static void on_dropped(struct check *c, sqlite3_stmt *row)
{
    c->sink->dropped(c->sink->ctx, (uint64_t)sqlite3_column_int64(row, 0));
}

/* A row that says what no row of ours says. */
static void on_odd(struct check *c, sqlite3_stmt *row)
{
    c->sink->fault(c->sink->ctx, text_of(row, 0).ptr);
}

static const char odd_sql[] =
    "SELECT 'table ' || id || ' is both there and dropped' FROM tables WHERE id IN (SELECT table_id FROM "
    "dropped_tables) UNION ALL "
    "SELECT 'table ' || id || ' was changed before it was made' FROM tables WHERE updated < created UNION "
    "ALL "
    "SELECT 'database ' || id || ' was changed before it was made' FROM databases WHERE updated < created "
    "UNION ALL "
    "SELECT 'table ' || id || ' has a number that was never given out' FROM tables WHERE id > (SELECT seq "
    "FROM "
    "sqlite_sequence WHERE name = 'tables') UNION ALL "
    "SELECT 'dropped table ' || table_id || ' has a number that was never given out' FROM dropped_tables "
    "WHERE "
    "table_id > (SELECT seq FROM sqlite_sequence WHERE name = 'tables') LIMIT " FAULTS;

static int64_t number_of(struct check *c, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(c->handle, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        number = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return number;
}

/* `unsummed`: an older file, to which the sums are added when a server opens it. */
static int check_format(struct check *c, bool *unsummed, struct mr_error *err)
{
    int64_t application = number_of(c, "PRAGMA application_id"),
            version = number_of(c, "PRAGMA user_version");
    if (application != DB_APPLICATION_ID)
        return mr_error_set(err, MR_ECORRUPT, "%s is no catalog (application id %lld)", c->path,
                            (long long)application);
    *unsummed = version == DB_FORMAT_UNSUMMED;
    if (version != DB_FORMAT && !*unsummed)
        return mr_error_set(err, MR_EUNSUPPORTED, "%s has format %lld and this build knows format %d only",
                            c->path, (long long)version, DB_FORMAT);
    return MR_OK;
}

static int check_sums(struct check *c, struct mr_error *err)
{
    bool same = false;
    int rc = sums_register(c->handle);
    if (rc == SQLITE_OK)
        rc = sums_check(c->handle, &same);
    if (rc != SQLITE_OK)
        return fail(c, rc, err);
    if (!same)
        c->sink->fault(c->sink->ctx, "its rows do not add up to the sum kept of them");
    return MR_OK;
}

/* Exclusive from the first look on: the index of its log is then made in memory and not as a file. */
static int open_file(struct check *c, struct mr_error *err)
{
    int was = 0;
    int rc = sqlite3_open_v2(c->path, &c->handle,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(c->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &was);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->handle,
                          "PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON; PRAGMA trusted_schema = "
                          "OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(c->handle, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    return rc == SQLITE_OK ? MR_OK : fail(c, rc, err);
}

int catalog_check(const char *dir, const struct catalog_check_sink *sink, struct mr_error *err)
{
    char path[4096];
    struct check c = {.sink = sink, .path = path};
    int len = snprintf(path, sizeof path, "%s/catalog.sqlite", dir);
    if (len < 0 || (size_t)len >= sizeof path)
        return mr_error_set(err, MR_EINVAL, "the path of the data directory is too long");
    if (access(path, F_OK) != 0)
        return mr_error_set(err, MR_ENOENT, "%s is not there", path);
    bool unsummed = false;
    int status = open_file(&c, err);
    if (status == MR_OK)
        status = check_format(&c, &unsummed, err);
    if (status == MR_OK)
        status = each(&c, "PRAGMA integrity_check(" FAULTS ")", on_integrity, err);
    if (status == MR_OK)
        status = each(&c, "PRAGMA foreign_key_check", on_foreign_key, err);
    if (status == MR_OK && !unsummed)
        status = check_sums(&c, err);
    if (status == MR_OK)
        status = each(&c, odd_sql, on_odd, err);
    if (status == MR_OK)
        status = each(&c, "SELECT id, name FROM databases", on_database, err);
    if (status == MR_OK)
        status = each(&c, "SELECT id, database_id, name FROM tables", on_table, err);
    if (status == MR_OK)
        status = each(&c, "SELECT table_id FROM dropped_tables", on_dropped, err);
    sqlite3_close(c.handle);
    return status;
}
