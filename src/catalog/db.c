#include "catalog/db.h"
#include "catalog/sums.h"

#include "base/io.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>

static const char *const sql_text[DB_STATEMENT_COUNT] = {
#define DB_SQL(name, sql) [name] = sql,
    DB_STATEMENTS(DB_SQL)
#undef DB_SQL
};

/* Each table's meaning is in docs/format/catalog.md. AUTOINCREMENT is what keeps a deleted id from coming
 * back. */
static const char schema_sql[] = "CREATE TABLE databases ("
                                 " id INTEGER PRIMARY KEY AUTOINCREMENT,"
                                 " name TEXT NOT NULL UNIQUE,"
                                 " kms_key TEXT NOT NULL,"
                                 " created INTEGER NOT NULL,"
                                 " updated INTEGER NOT NULL) STRICT;"
                                 "CREATE TABLE tables ("
                                 " id INTEGER PRIMARY KEY AUTOINCREMENT,"
                                 " database_id INTEGER NOT NULL REFERENCES databases (id),"
                                 " name TEXT NOT NULL,"
                                 " memory_hours INTEGER NOT NULL CHECK (memory_hours > 0),"
                                 " magnetic_days INTEGER NOT NULL CHECK (magnetic_days > 0),"
                                 " magnetic_writes INTEGER NOT NULL CHECK (magnetic_writes IN (0, 1)),"
                                 " rejected_bucket TEXT,"
                                 " rejected_prefix TEXT,"
                                 " rejected_kms_key TEXT,"
                                 " rejected_encryption INTEGER NOT NULL CHECK (rejected_encryption >= 0),"
                                 " partition_dimension TEXT,"
                                 " enforcement INTEGER NOT NULL CHECK (enforcement IN (0, 1, 2)),"
                                 " created INTEGER NOT NULL,"
                                 " updated INTEGER NOT NULL,"
                                 " UNIQUE (database_id, name)) STRICT;"
                                 "CREATE TABLE database_tags ("
                                 " database_id INTEGER NOT NULL REFERENCES databases (id) ON DELETE CASCADE,"
                                 " key TEXT NOT NULL,"
                                 " value TEXT NOT NULL,"
                                 " PRIMARY KEY (database_id, key)) STRICT, WITHOUT ROWID;"
                                 "CREATE TABLE table_tags ("
                                 " table_id INTEGER NOT NULL REFERENCES tables (id) ON DELETE CASCADE,"
                                 " key TEXT NOT NULL,"
                                 " value TEXT NOT NULL,"
                                 " PRIMARY KEY (table_id, key)) STRICT, WITHOUT ROWID;"
                                 "CREATE TABLE dropped_tables (table_id INTEGER PRIMARY KEY) STRICT;"
                                 "CREATE TABLE settings ("
                                 " name TEXT NOT NULL PRIMARY KEY,"
                                 " value BLOB NOT NULL) STRICT, WITHOUT ROWID;";

/* ---- errors
 * --------------------------------------------------------------------------------------------------- */

enum mr_status db_status(sqlite3 *handle, int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_FULL:
        return MR_ENOSPC;
    case SQLITE_NOMEM:
        return MR_ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return MR_ECORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return MR_EBUSY;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: {
        int errnum = sqlite3_system_errno(handle);
        return errnum == ENOSPC || errnum == EDQUOT ? MR_ENOSPC : MR_EIO;
    }
    default:
        return MR_EINTERNAL;
    }
}

static int db_fail(struct db *db, int rc, const char *doing, struct mr_error *err)
{
    return mr_error_set(err, db_status(db->handle, rc), "catalog: %s: %s", doing,
                        db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc));
}

/* ---- statements
 * ----------------------------------------------------------------------------------------------- */

struct db_arg db_int(int64_t number)
{
    return (struct db_arg){DB_INT, number, MR_STR_NULL};
}

struct db_arg db_id(uint64_t id)
{
    return db_int((int64_t)id);
}

struct db_arg db_text(struct mr_str text)
{
    return (struct db_arg){DB_TEXT, 0, text};
}

struct db_arg db_blob(struct mr_str bytes)
{
    return (struct db_arg){DB_BLOB, 0, bytes};
}

static int bind(sqlite3_stmt *stmt, int at, const struct db_arg *arg)
{
    if (arg->kind == DB_INT)
        return sqlite3_bind_int64(stmt, at, arg->number);
    if (arg->bytes.ptr == NULL)
        return sqlite3_bind_null(stmt, at);
    if (arg->kind == DB_TEXT)
        return sqlite3_bind_text64(stmt, at, arg->bytes.ptr, arg->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(stmt, at, arg->bytes.ptr, arg->bytes.len, SQLITE_STATIC);
}

int db_run(struct db *db, enum db_statement which, const struct db_arg *args, size_t nargs,
           struct mr_error *err)
{
    sqlite3_stmt *stmt = db->statements[which];
    int rc = SQLITE_OK;
    MR_ASSERT((size_t)sqlite3_bind_parameter_count(stmt) == nargs);
    for (size_t i = 0; i < nargs && rc == SQLITE_OK; i++)
        rc = bind(stmt, (int)i + 1, &args[i]);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    int status = rc == SQLITE_DONE ? MR_OK : db_fail(db, rc, sql_text[which], err);
    sqlite3_reset(stmt); /* repeats the step's code, which is dealt with */
    sqlite3_clear_bindings(stmt);
    return status;
}

int db_each(struct db *db, enum db_statement which, int (*fn)(void *arg, sqlite3_stmt *row), void *arg,
            struct mr_error *err)
{
    sqlite3_stmt *stmt = db->statements[which];
    int status = MR_OK;
    for (;;) {
        int rc = sqlite3_step(stmt);
        if (rc == SQLITE_DONE)
            break;
        if (rc != SQLITE_ROW) {
            status = db_fail(db, rc, sql_text[which], err);
            break;
        }
        status = fn(arg, stmt);
        if (status != MR_OK)
            break;
    }
    sqlite3_reset(stmt);
    return status;
}

struct mr_str db_column(sqlite3_stmt *row, int column, bool *nomem)
{
    int type = sqlite3_column_type(row, column);
    if (type == SQLITE_NULL)
        return MR_STR_NULL;
    const char *ptr = type == SQLITE_BLOB ? sqlite3_column_blob(row, column)
                                          : (const char *)sqlite3_column_text(row, column);
    struct mr_str s = {ptr, (size_t)sqlite3_column_bytes(row, column)};
    if (ptr == NULL && s.len == 0 && type == SQLITE_BLOB)
        s.ptr = ""; /* SQLite's form of a blob without bytes */
    if (s.ptr == NULL)
        *nomem = true;
    return s;
}

/* ---- transactions
 * --------------------------------------------------------------------------------------------- */

int db_begin(struct db *db, struct mr_error *err)
{
    return db_run(db, DB_BEGIN, NULL, 0, err);
}

/* Write-back of the log, before the change is acknowledged: SQLite takes a damaged frame for the end of its
 * log, so the log is no place for the only copy. What fails here was committed before and is safe in the log.
 */
static void checkpoint(struct db *db)
{
    if (db->no_checkpoint)
        return;
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc == SQLITE_OK || (rc & 0xFF) == SQLITE_NOMEM || db_status(db->handle, rc) == MR_ENOSPC)
        return; /* or the next change's will do it */
    db->no_checkpoint = true;
    int was = 0;
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &was);
    mr_log(MR_LOG_ERROR, "catalog_checkpoint_failed", "error=\"%s\" until=restart",
           sqlite3_errmsg(db->handle));
}

int db_commit(struct db *db, struct mr_error *err)
{
    int status = db_run(db, DB_COMMIT, NULL, 0, err);
    if (status != MR_OK) {
        db_rollback(db);
        return status;
    }
    checkpoint(db);
    return MR_OK;
}

void db_rollback(struct db *db)
{
    if (sqlite3_get_autocommit(db->handle))
        return; /* none was begun, or SQLite has undone it by itself (full disk, I/O error) */
    struct mr_error err = MR_ERROR_INIT;
    if (db_run(db, DB_ROLLBACK, NULL, 0, &err) != MR_OK)
        mr_log(MR_LOG_ERROR, "catalog_rollback_failed", "error=\"%s\"", err.text);
}

/* ---- open
 * ----------------------------------------------------------------------------------------------------- */

static int exec(struct db *db, const char *sql, struct mr_error *err)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? MR_OK : db_fail(db, rc, sql, err);
}

/* The first column of the first row, as a number and as text; none is 0 and "". */
static int ask(struct db *db, const char *sql, int64_t *number, char *text, size_t size, struct mr_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int status = MR_OK;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    *number = 0;
    text[0] = '\0';
    if (rc == SQLITE_ROW) {
        const char *got = (const char *)sqlite3_column_text(stmt, 0);
        sqlite3_snprintf((int)size, text, "%s", got != NULL ? got : "");
        *number = sqlite3_column_int64(stmt, 0);
    } else if (rc != SQLITE_DONE) {
        status = db_fail(db, rc, sql, err);
    }
    sqlite3_finalize(stmt); /* repeats the step's code */
    return status;
}

/* Settings of the connection, each read back where SQLite may answer with another value instead of an error.
 */
static int configure(struct db *db, struct mr_error *err)
{
    int64_t number = 0;
    char text[64];
    int rc = exec(db, "PRAGMA locking_mode = EXCLUSIVE", err);
    if (rc == MR_OK)
        rc = exec(db,
                  "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;"
                  "PRAGMA temp_store = MEMORY",
                  err);
    if (rc == MR_OK)
        rc = ask(db, "PRAGMA journal_mode = WAL", &number, text, sizeof text, err);
    if (rc == MR_OK && strcmp(text, "wal") != 0)
        rc = mr_error_set(err, MR_EIO, "catalog: no write-ahead log on this file system (journal_mode is %s)",
                          text);
    if (rc == MR_OK)
        rc = exec(db, "PRAGMA synchronous = FULL", err);
    if (rc == MR_OK)
        rc = ask(db, "PRAGMA synchronous", &number, text, sizeof text, err);
    if (rc == MR_OK && number != 2)
        rc = mr_error_set(err, MR_EINTERNAL, "catalog: synchronous is %s, not FULL", text);
    return rc;
}

/* Tables and version stamp appear together or not at all, so a crash in between leaves an empty file. Not
 * `fresh`: a file of version 1, which lacks the sums. */
static int make_schema(struct db *db, bool fresh, struct mr_error *err)
{
    char stamp[96];
    sqlite3_snprintf(sizeof stamp, stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                     DB_APPLICATION_ID, DB_FORMAT);
    int rc = exec(db, "BEGIN IMMEDIATE", err);
    if (rc == MR_OK && fresh)
        rc = exec(db, schema_sql, err);
    if (rc == MR_OK) {
        int made = sums_make(db->handle);
        rc = made == SQLITE_OK ? MR_OK : db_fail(db, made, "make the sums of rows", err);
    }
    if (rc == MR_OK)
        rc = exec(db, stamp, err);
    return rc; /* an open transaction ends with the connection */
}

/* SQLite's check of all pages, indexes and references. */
static int check_pages(struct db *db, const char *path, struct mr_error *err)
{
    int64_t number = 0;
    char text[256];
    int rc = ask(db, "PRAGMA integrity_check(1)", &number, text, sizeof text, err);
    if (rc == MR_OK && strcmp(text, "ok") != 0)
        rc = mr_error_set(err, MR_ECORRUPT, "catalog: %s is damaged: %s", path, text);
    if (rc == MR_OK)
        rc = ask(db, "PRAGMA foreign_key_check", &number, text, sizeof text, err);
    if (rc == MR_OK && text[0] != '\0')
        rc = mr_error_set(err, MR_ECORRUPT, "catalog: %s is damaged: a row of %s refers to nothing", path,
                          text);
    return rc;
}

static int check_format(struct db *db, const char *path, struct mr_error *err)
{
    int64_t version = 0, application = 0, objects = 0;
    char text[64];
    int rc = ask(db, "PRAGMA user_version", &version, text, sizeof text, err);
    if (rc == MR_OK)
        rc = ask(db, "PRAGMA application_id", &application, text, sizeof text, err);
    if (rc == MR_OK)
        rc = ask(db, "SELECT count(*) FROM sqlite_schema", &objects, text, sizeof text, err);
    if (rc != MR_OK)
        return rc;
    if (version == 0 && application == 0 && objects == 0)
        return make_schema(db, true, err);
    if (application != DB_APPLICATION_ID)
        return mr_error_set(err, MR_ECORRUPT,
                            "catalog: %s is an SQLite file of something else (application id %lld)", path,
                            (long long)application);
    if (version == DB_FORMAT_UNSUMMED) {
        rc = check_pages(db, path, err); /* what is damaged is not summed */
        return rc == MR_OK ? make_schema(db, false, err) : rc;
    }
    if (version != DB_FORMAT)
        return mr_error_set(
            err, MR_EUNSUPPORTED, "catalog: %s has format %lld and this build knows format %d only%s", path,
            (long long)version, DB_FORMAT, version > DB_FORMAT ? "; a newer Millrace wrote it" : "");
    return MR_OK;
}

int db_check_integrity(struct db *db, const char *path, struct mr_error *err)
{
    bool same = false;
    int status = check_pages(db, path, err);
    if (status != MR_OK)
        return status;
    int rc = sums_check(db->handle, &same);
    if (rc == SQLITE_ERROR) /* no such table or column */
        return mr_error_set(err, MR_ECORRUPT, "catalog: %s lacks part of its tables: %s", path,
                            sqlite3_errmsg(db->handle));
    if (rc != SQLITE_OK)
        return db_fail(db, rc, "add up the rows", err);
    return same ? MR_OK
                : (int)mr_error_set(err, MR_ECORRUPT,
                                    "catalog: %s is damaged: its rows do not add up to the sum kept of them",
                                    path);
}

static int prepare_all(struct db *db, const char *path, struct mr_error *err)
{
    for (int i = 0; i < DB_STATEMENT_COUNT; i++) {
        int rc = sqlite3_prepare_v3(db->handle, sql_text[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &db->statements[i], NULL);
        if (rc == SQLITE_ERROR) /* no such table or column */
            return mr_error_set(err, MR_ECORRUPT, "catalog: %s lacks part of its tables: %s", path,
                                sqlite3_errmsg(db->handle));
        if (rc != SQLITE_OK)
            return db_fail(db, rc, sql_text[i], err);
    }
    return MR_OK;
}

/* SQLite would make the file for all to read; it holds the key of page tokens. */
static int make_private(const char *path, struct mr_error *err)
{
    int fd = mr_io_posix.open(NULL, path, O_RDWR | O_CREAT, 0600);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "catalog: open %s", path);
    mr_io_posix.close(NULL, fd);
    return MR_OK;
}

int db_open(struct db *db, const char *path, struct mr_error *err)
{
    struct mr_error inner = MR_ERROR_INIT;
    *db = (struct db){0};
    int rc = make_private(path, &inner);
    if (rc == MR_OK) {
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
        int got = sqlite3_open_v2(path, &db->handle, flags, NULL);
        rc = got == SQLITE_OK ? MR_OK : db_fail(db, got, "open", &inner);
    }
    if (rc == MR_OK) {
        sqlite3_extended_result_codes(db->handle, 1);
        sqlite3_wal_autocheckpoint(db->handle, 0);
        int got = sums_register(db->handle);
        rc = got == SQLITE_OK ? configure(db, &inner) : db_fail(db, got, "sums of rows", &inner);
    }
    if (rc == MR_OK)
        rc = check_format(db, path, &inner);
    if (rc == MR_OK)
        rc = db_check_integrity(db, path, &inner);
    if (rc == MR_OK)
        rc = prepare_all(db, path, &inner);
    if (rc == MR_OK)
        return MR_OK;
    if (rc == MR_EBUSY)
        mr_error_set(err, MR_EBUSY, "catalog: another process has %s open", path);
    mr_error_set(err, rc, "%s", inner.text);
    db_close(db);
    return rc;
}

void db_close(struct db *db)
{
    for (int i = 0; i < DB_STATEMENT_COUNT; i++)
        sqlite3_finalize(db->statements[i]);
    if (db->handle != NULL && sqlite3_close(db->handle) != SQLITE_OK)
        mr_log(MR_LOG_ERROR, "catalog_close_failed", "error=\"%s\"", sqlite3_errmsg(db->handle));
    *db = (struct db){0};
}
