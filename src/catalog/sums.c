#include "catalog/sums.h"

#include "base/buf.h"
#include "base/hash.h"

static const struct summed {
    const char *table;
    const char *columns[16]; /* up to NULL */
    bool numbered;           /* its ids are AUTOINCREMENT's */
} all[] = {
    {"databases", {"id", "name", "kms_key", "created", "updated"}, true},
    {"tables",
     {"id", "database_id", "name", "memory_hours", "magnetic_days", "magnetic_writes", "rejected_bucket",
      "rejected_prefix", "rejected_kms_key", "rejected_encryption", "partition_dimension", "enforcement",
      "created", "updated"},
     true},
    {"database_tags", {"database_id", "key", "value"}, false},
    {"table_tags", {"table_id", "key", "value"}, false},
    {"dropped_tables", {"table_id"}, false},
    {"settings", {"name", "value"}, false},
};

/* ---- the hash of a row */

static uint64_t hash_value(sqlite3_value *value, uint64_t hash)
{
    int type = sqlite3_value_type(value);
    sqlite3_int64 number = type == SQLITE_INTEGER ? sqlite3_value_int64(value) : 0;
    const void *bytes = &number;
    size_t len = sizeof number;
    if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
        bytes = sqlite3_value_blob(value);
        len = (size_t)sqlite3_value_bytes(value);
    }
    struct {
        uint64_t type, len;
    } head = {(uint64_t)type, len};
    hash = mr_hash64(&head, sizeof head, hash);
    return len > 0 && bytes != NULL ? mr_hash64(bytes, len, hash) : hash;
}

static uint64_t hash_row(int count, sqlite3_value **values)
{
    uint64_t hash = 0;
    for (int i = 0; i < count; i++)
        hash = hash_value(values[i], hash);
    return hash;
}

static void result(sqlite3_context *ctx, uint64_t value)
{
    sqlite3_result_int64(ctx, (sqlite3_int64)value);
}

/* row_sum(table, column...); row_in and row_out(sum, table, column...): the sum with and without the row. */
static void row_sum(sqlite3_context *ctx, int count, sqlite3_value **values)
{
    result(ctx, hash_row(count, values));
}

static void row_in(sqlite3_context *ctx, int count, sqlite3_value **values)
{
    uint64_t sum = (uint64_t)sqlite3_value_int64(values[0]);
    result(ctx, sum + hash_row(count - 1, values + 1));
}

static void row_out(sqlite3_context *ctx, int count, sqlite3_value **values)
{
    uint64_t sum = (uint64_t)sqlite3_value_int64(values[0]);
    result(ctx, sum - hash_row(count - 1, values + 1));
}

int sums_register(sqlite3 *handle)
{
    /* Innocuous: allowed in triggers although the connection does not trust the schema of its file. */
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = sqlite3_create_function_v2(handle, "row_sum", -1, flags, NULL, row_sum, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(handle, "row_in", -1, flags, NULL, row_in, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(handle, "row_out", -1, flags, NULL, row_out, NULL, NULL, NULL);
    return rc;
}

/* ---- statements */

/* 'table', OLD.id, OLD.name, ... */
static void add_row(struct mr_buf *sql, const struct summed *t, const char *prefix)
{
    mr_buf_printf(sql, "'%s'", t->table);
    for (const char *const *column = t->columns; *column != NULL; column++)
        mr_buf_printf(sql, ", %s%s", prefix, *column);
}

static void add_trigger(struct mr_buf *sql, const struct summed *t, const char *event)
{
    bool comes = strcmp(event, "DELETE") != 0, goes = strcmp(event, "INSERT") != 0;
    mr_buf_printf(sql, "CREATE TRIGGER %s_%s AFTER %s ON %s BEGIN UPDATE sums SET sum = ", t->table, event,
                  event, t->table);
    if (comes)
        mr_buf_printf(sql, "row_in(");
    if (goes)
        mr_buf_printf(sql, "row_out(");
    mr_buf_printf(sql, "sum");
    if (goes) {
        mr_buf_printf(sql, ", ");
        add_row(sql, t, "OLD.");
        mr_buf_printf(sql, ")");
    }
    if (comes) {
        mr_buf_printf(sql, ", ");
        add_row(sql, t, "NEW.");
        mr_buf_printf(sql, ")");
    }
    mr_buf_printf(sql, " WHERE name = 'rows';");
    if (t->numbered && comes && !goes)
        mr_buf_printf(sql, "UPDATE sums SET sum = NEW.id WHERE name = '%s';", t->table);
    mr_buf_printf(sql, "END;");
}

static int run(sqlite3 *handle, struct mr_buf *sql)
{
    mr_buf_char(sql, '\0');
    int rc = mr_buf_ok(sql) ? sqlite3_exec(handle, sql->ptr, NULL, NULL, NULL) : SQLITE_NOMEM;
    mr_buf_release(sql);
    return rc;
}

/* Calls fn with the first two columns, as numbers, of each row. */
static int each(sqlite3 *handle, const char *sql, void (*fn)(void *arg, uint64_t a, uint64_t b), void *arg)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW)
            fn(arg, (uint64_t)sqlite3_column_int64(stmt, 0), (uint64_t)sqlite3_column_int64(stmt, 1));
    }
    sqlite3_finalize(stmt); /* repeats the step's code */
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void add_up(void *arg, uint64_t hash, uint64_t unused)
{
    MR_UNUSED(unused);
    *(uint64_t *)arg += hash;
}

static int total(sqlite3 *handle, uint64_t *out)
{
    int rc = SQLITE_OK;
    *out = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(all) && rc == SQLITE_OK; i++) {
        struct mr_buf sql = MR_BUF_INIT;
        mr_buf_printf(&sql, "SELECT row_sum(");
        add_row(&sql, &all[i], "");
        mr_buf_printf(&sql, ") FROM %s", all[i].table);
        mr_buf_char(&sql, '\0');
        rc = mr_buf_ok(&sql) ? each(handle, sql.ptr, add_up, out) : SQLITE_NOMEM;
        mr_buf_release(&sql);
    }
    return rc;
}

int sums_make(sqlite3 *handle)
{
    uint64_t rows;
    int rc = total(handle, &rows);
    if (rc != SQLITE_OK)
        return rc;
    struct mr_buf sql = MR_BUF_INIT;
    mr_buf_printf(&sql,
                  "CREATE TABLE sums (name TEXT NOT NULL PRIMARY KEY, sum INTEGER NOT NULL) STRICT, WITHOUT "
                  "ROWID; INSERT INTO sums VALUES ('rows', %lld);",
                  (long long)rows);
    for (size_t i = 0; i < MR_ARRAY_LEN(all); i++) {
        if (all[i].numbered)
            mr_buf_printf(
                &sql,
                "INSERT INTO sums VALUES ('%s', ifnull((SELECT seq FROM sqlite_sequence WHERE name = "
                "'%s'), 0));",
                all[i].table, all[i].table);
        add_trigger(&sql, &all[i], "INSERT");
        add_trigger(&sql, &all[i], "UPDATE");
        add_trigger(&sql, &all[i], "DELETE");
    }
    return run(handle, &sql);
}

/* ---- the check */

struct compare {
    uint64_t rows;
    unsigned found;
    bool same;
};

static void compare(void *arg, uint64_t kept, uint64_t seen)
{
    struct compare *c = arg;
    c->found++;
    c->same = c->same && kept == seen;
}

static void compare_rows(void *arg, uint64_t kept, uint64_t unused)
{
    MR_UNUSED(unused);
    compare(arg, kept, ((const struct compare *)arg)->rows);
}

int sums_check(sqlite3 *handle, bool *same)
{
    struct compare c = {.same = true};
    int rc = total(handle, &c.rows);
    if (rc == SQLITE_OK)
        rc = each(handle, "SELECT sum, 0 FROM sums WHERE name = 'rows'", compare_rows, &c);
    if (rc == SQLITE_OK)
        rc = each(
            handle,
            "SELECT sum, ifnull((SELECT seq FROM sqlite_sequence q WHERE q.name = sums.name), 0) FROM sums "
            "WHERE name IN ('databases', 'tables')",
            compare, &c);
    *same = c.same && c.found == 3;
    return rc;
}
