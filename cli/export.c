/* A table as records: what `millrace write` reads back.
 *
 * DESCRIBE tells which columns are dimensions and which hold values; every row of the table becomes one
 * record with the members that are not NULL. Versions are not part of a table's rows and are not exported.
 */
#include "cli/cli.h"

#include "cli/progress.h"
#include "model/model.h"

#define MOST_COLUMNS 2048

enum role {
    ROLE_NONE,
    ROLE_DIMENSION,
    ROLE_MEASURE_NAME,
    ROLE_TIME,
    ROLE_VALUE, /* measure_value::<type> */
    ROLE_MULTI, /* an attribute of multi-measure records */
};

struct column {
    enum role role;
    struct mr_text name;
};

struct table {
    struct mr_arena arena;
    struct column at[MOST_COLUMNS];
    size_t len;
};

static void quote_name(struct mr_buf *sql, const char *name)
{
    mr_buf_char(sql, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            mr_buf_char(sql, '"');
        mr_buf_char(sql, *name);
    }
    mr_buf_char(sql, '"');
}

static void quote_text(struct mr_buf *sql, const char *text)
{
    mr_buf_char(sql, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            mr_buf_char(sql, '\'');
        mr_buf_char(sql, *text);
    }
    mr_buf_char(sql, '\'');
}

static void table_name(struct mr_buf *sql, const struct cli *cli)
{
    quote_name(sql, cli->database);
    mr_buf_char(sql, '.');
    quote_name(sql, cli->table);
}

static enum role role_of(struct mr_text attribute)
{
    static const struct {
        const char *word;
        enum role role;
    } roles[] = {{"DIMENSION", ROLE_DIMENSION},
                 {"MEASURE_NAME", ROLE_MEASURE_NAME},
                 {"TIMESTAMP", ROLE_TIME},
                 {"MEASURE_VALUE", ROLE_VALUE},
                 {"MULTI", ROLE_MULTI}};
    struct mr_str text = {attribute.ptr, attribute.len};
    for (size_t i = 0; i < MR_ARRAY_LEN(roles); i++)
        if (mr_str_eq(text, mr_str_of(roles[i].word)))
            return roles[i].role;
    return ROLE_NONE;
}

static int open_query(struct cli *cli, struct mr_buf *sql, struct mr_rows **rows)
{
    struct mr_query_request request = {.query_string = {sql->ptr, sql->len}};
    int rc = mr_buf_ok(sql) ? mr_rows_open(cli->client, &request, rows, &cli->fault) : MR_ERR_MEMORY;
    return rc == 0 ? CLI_OK : cli_fault(cli);
}

static int describe(struct cli *cli, struct table *t)
{
    struct mr_buf sql = MR_BUF_INIT;
    struct mr_rows *rows = NULL;
    int next = 0;
    mr_buf_str(&sql, MR_STR("DESCRIBE "));
    table_name(&sql, cli);
    int rc = open_query(cli, &sql, &rows);
    while (rc == CLI_OK && t->len < MOST_COLUMNS && (next = mr_rows_next(rows, &cli->fault)) == 1) {
        struct mr_text name = mr_rows_cell(rows, 0)->text;
        struct mr_str copy = mr_arena_dup(&t->arena, (struct mr_str){name.ptr, name.len});
        t->at[t->len++] = (struct column){
            mr_rows_width(rows) > 2 ? role_of(mr_rows_cell(rows, 2)->text) : ROLE_NONE, {copy.ptr, copy.len}};
    }
    if (rc == CLI_OK && (next < 0 || t->arena.failed))
        rc = cli_fault(cli);
    mr_rows_close(rows);
    mr_buf_release(&sql);
    return rc;
}

static const struct column *column_named(const struct table *t, struct mr_text name)
{
    for (size_t i = 0; i < t->len; i++)
        if (mr_str_eq((struct mr_str){name.ptr, name.len},
                      (struct mr_str){t->at[i].name.ptr, t->at[i].name.len}))
            return &t->at[i];
    return NULL;
}

/* ---- a row to a record ---- */

/* What a value of the record is: its text, and times as nanoseconds. */
static struct mr_text value_text(const struct mr_cell *cell, struct mr_arena *arena)
{
    char digits[MR_NUMBER_TEXT];
    if (cell->kind != MR_CELL_TIMESTAMP)
        return cell->text;
    struct mr_text number = mr_text_of_int(cell->v.integer, digits);
    struct mr_str copy = mr_arena_dup(arena, (struct mr_str){number.ptr, number.len});
    return (struct mr_text){copy.ptr, copy.len};
}

static enum mr_measure_value_type type_of(const struct mr_cell *cell)
{
    switch (cell->kind) {
    case MR_CELL_DOUBLE:
        return MR_MEASURE_VALUE_TYPE_DOUBLE;
    case MR_CELL_INT:
        return MR_MEASURE_VALUE_TYPE_BIGINT;
    case MR_CELL_BOOLEAN:
        return MR_MEASURE_VALUE_TYPE_BOOLEAN;
    case MR_CELL_TIMESTAMP:
        return MR_MEASURE_VALUE_TYPE_TIMESTAMP;
    default:
        return MR_MEASURE_VALUE_TYPE_VARCHAR;
    }
}

static void take_cell(const struct column *column, const struct mr_cell *cell, struct mr_arena *arena,
                      struct mr_record *r)
{
    switch (column->role) {
    case ROLE_DIMENSION:
        r->dimensions.at[r->dimensions.len++] =
            (struct mr_dimension){.name = column->name, .value = cell->text};
        break;
    case ROLE_MEASURE_NAME:
        r->measure_name = cell->text;
        break;
    case ROLE_TIME:
        r->time = value_text(cell, arena);
        r->time_unit = MR_TIME_UNIT_NANOSECONDS;
        break;
    case ROLE_VALUE:
        r->measure_value = cell->text;
        r->measure_value_type = type_of(cell);
        break;
    case ROLE_MULTI:
        r->measure_values.at[r->measure_values.len++] =
            (struct mr_measure_value){column->name, value_text(cell, arena), type_of(cell)};
        r->measure_value_type = MR_MEASURE_VALUE_TYPE_MULTI;
        break;
    default:
        break;
    }
}

static bool take_row(const struct table *t, const struct mr_rows *rows, struct mr_arena *arena,
                     struct mr_record *r)
{
    memset(r, 0, sizeof *r);
    r->dimensions.at = MR_ARENA_ARRAY(arena, t->len, struct mr_dimension);
    r->measure_values.at = MR_ARENA_ARRAY(arena, t->len, struct mr_measure_value);
    if (r->dimensions.at == NULL || r->measure_values.at == NULL)
        return false;
    for (size_t i = 0; i < mr_rows_width(rows); i++) {
        const struct mr_cell *cell = mr_rows_cell(rows, i);
        const struct column *column = column_named(t, mr_rows_column(rows, i)->name);
        if (cell->kind != MR_CELL_NULL && column != NULL)
            take_cell(column, cell, arena, r);
    }
    r->dimensions.set = r->dimensions.len > 0;
    r->measure_values.set = r->measure_values.len > 0;
    return !arena->failed;
}

static int print_records(struct cli *cli, const struct table *t, struct mr_rows *rows)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf line = MR_BUF_INIT;
    struct cli_progress progress;
    uint64_t count = 0;
    int next, rc = CLI_OK;
    cli_progress_start(&progress, 0);
    while (rc == CLI_OK && (next = mr_rows_next(rows, &cli->fault)) != 0) {
        struct mr_record record;
        if (next < 0) {
            rc = cli_fault(cli);
            break;
        }
        mr_arena_reset(&arena);
        line.len = 0;
        if (take_row(t, rows, &arena, &record))
            model_encode(&model_shape_record, &record, &line);
        mr_buf_char(&line, '\n');
        if (arena.failed || !mr_buf_ok(&line) || fwrite(line.ptr, 1, line.len, stdout) != line.len) {
            fputs("millrace: standard output did not take a record\n", stderr);
            rc = CLI_FAILED;
        }
        cli_progress(&progress, ++count, 0);
    }
    cli_progress_end(&progress);
    if (rc == CLI_OK && fflush(stdout) != 0) {
        fputs("millrace: standard output did not take all records\n", stderr);
        rc = CLI_FAILED;
    }
    fprintf(stderr, "%llu records exported\n", (unsigned long long)count);
    mr_buf_release(&line);
    mr_arena_release(&arena);
    return rc;
}

int cli_export(struct cli *cli)
{
    if (cli->database == NULL || cli->table == NULL || cli->nwords > 0)
        return cli_misuse(cli, "A database and a table are needed, and nothing else.");
    struct table *t = mr_calloc(1, sizeof *t);
    struct mr_buf sql = MR_BUF_INIT;
    struct mr_rows *rows = NULL;
    int rc = t != NULL ? describe(cli, t) : CLI_FAILED;
    mr_buf_str(&sql, MR_STR("SELECT * FROM "));
    table_name(&sql, cli);
    const char *bounds[] = {cli->from, cli->to}, *const before[] = {"time >= ", "time < "};
    const char *between = " WHERE ";
    for (size_t i = 0; i < MR_ARRAY_LEN(bounds); i++)
        if (bounds[i] != NULL) {
            mr_buf_printf(&sql, "%s%sfrom_iso8601_timestamp(", between, before[i]);
            quote_text(&sql, bounds[i]);
            mr_buf_char(&sql, ')');
            between = " AND ";
        }
    if (rc == CLI_OK)
        rc = open_query(cli, &sql, &rows);
    if (rc == CLI_OK)
        rc = print_records(cli, t, rows);
    mr_rows_close(rows);
    mr_buf_release(&sql);
    if (t != NULL)
        mr_arena_release(&t->arena);
    mr_free(t);
    return rc;
}
