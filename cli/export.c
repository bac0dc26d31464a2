/* `millrace export`: a table as records, CSV or line protocol, stretch of time by stretch of time.
 *
 * DESCRIBE tells which columns are dimensions and which hold values. One query counts the rows and finds the
 * first and the last time; then each query fetches a stretch, made longer or shorter so that it gives some
 * hundred thousand rows: so no answer meets the service's limits, however large the table is, and a stretch
 * that is on disk is a checkpoint. Versions are not part of a table's rows and are not exported.
 */
#include "cli/export.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/progress.h"
#include "cli/state.h"

#define MOST_COLUMNS 2048
#define STRETCH_ROWS 200000

struct export_state {
    int64_t next_ns; /* everything before is in the file */
    int64_t bytes;   /* of the file */
    int64_t rows, done;
    int64_t columns; /* their checksum: a file of CSV has one head */
};

struct export
{
    struct cli *cli;
    struct export_table table;
    enum export_form form;
    FILE *out;
    struct cli_progress progress;
    struct cli_state file;
    struct export_state at;
    int64_t first_ns, end_ns, total; /* of the rows: [first, end) */
};

static int open_query(struct cli *cli, struct mr_buf *sql, struct mr_rows **rows)
{
    struct mr_query_request request = {.query_string = {sql->ptr, sql->len}};
    int rc = mr_buf_ok(sql) ? mr_rows_open(cli->client, &request, rows, &cli->fault) : MR_ERR_MEMORY;
    return rc == 0 ? CLI_OK : cli_fault(cli);
}

/* ---- the table ---- */

static enum cli_role role_of(struct mr_str attribute)
{
    static const struct {
        const char *word;
        enum cli_role role;
    } roles[] = {{"DIMENSION", CLI_DIMENSION},
                 {"MEASURE_NAME", CLI_MEASURE_NAME},
                 {"TIMESTAMP", CLI_TIME},
                 {"MEASURE_VALUE", CLI_VALUE},
                 {"MULTI", CLI_MULTI}};
    for (size_t i = 0; i < MR_ARRAY_LEN(roles); i++)
        if (mr_str_eq(attribute, mr_str_of(roles[i].word)))
            return roles[i].role;
    return CLI_NO_ROLE;
}

static struct mr_str cell_text(const struct mr_rows *rows, size_t column)
{
    struct mr_text text = column < mr_rows_width(rows) ? mr_rows_cell(rows, column)->text : mr_text(NULL);
    return (struct mr_str){text.ptr, text.len};
}

static int describe(struct cli *cli, struct export_table *t)
{
    struct mr_buf sql = MR_BUF_INIT;
    struct mr_rows *rows = NULL;
    int next = 0;
    mr_buf_str(&sql, MR_STR("DESCRIBE "));
    cli_table_name(&sql, cli);
    int rc = open_query(cli, &sql, &rows);
    t->at = MR_ARENA_ARRAY(&t->arena, MOST_COLUMNS, struct cli_column);
    while (rc == CLI_OK && t->at != NULL && t->len < MOST_COLUMNS &&
           (next = mr_rows_next(rows, &cli->fault)) == 1)
        t->at[t->len++] = (struct cli_column){.role = role_of(cell_text(rows, 2)),
                                              .name = mr_arena_dup(&t->arena, cell_text(rows, 0)),
                                              .type = cli_type_of(cell_text(rows, 1))};
    if (rc == CLI_OK && (next < 0 || t->arena.failed))
        rc = cli_fault(cli);
    mr_rows_close(rows);
    mr_buf_release(&sql);
    return rc;
}

/* " WHERE time >= a AND time < b" of the options. */
static void print_bounds(const struct cli *cli, struct mr_buf *sql)
{
    const char *bounds[] = {cli->from, cli->to}, *const before[] = {"time >= ", "time < "};
    const char *between = " WHERE ";
    for (size_t i = 0; i < MR_ARRAY_LEN(bounds); i++)
        if (bounds[i] != NULL) {
            mr_buf_printf(sql, "%s%sfrom_iso8601_timestamp(", between, before[i]);
            cli_quote_text(sql, bounds[i]);
            mr_buf_char(sql, ')');
            between = " AND ";
        }
}

/* How many rows there are, and from when to when. */
static int survey(struct export *ex)
{
    struct cli *cli = ex->cli;
    struct mr_buf sql = MR_BUF_INIT;
    struct mr_rows *rows = NULL;
    mr_buf_str(&sql, MR_STR("SELECT count(*), min(time), max(time) FROM "));
    cli_table_name(&sql, cli);
    print_bounds(cli, &sql);
    int rc = open_query(cli, &sql, &rows);
    if (rc == CLI_OK && mr_rows_next(rows, &cli->fault) != 1)
        rc = cli_fault(cli);
    if (rc == CLI_OK) {
        ex->total = mr_rows_cell(rows, 0)->v.integer;
        if (ex->total > 0) {
            ex->first_ns = mr_rows_cell(rows, 1)->v.integer;
            ex->end_ns = mr_rows_cell(rows, 2)->v.integer + 1;
        }
    }
    mr_rows_close(rows);
    mr_buf_release(&sql);
    return rc;
}

/* ---- rows ---- */

static int write_out(struct export *ex, const struct mr_buf *text)
{
    if (fwrite(mr_buf_view(text).ptr, 1, text->len, ex->out) == text->len)
        return CLI_OK;
    fputs("millrace: the output did not take a record\n", stderr);
    return CLI_FAILED;
}

static int print_rows(struct export *ex, struct mr_rows *rows, int64_t *count)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf line = MR_BUF_INIT;
    int next = 0, rc = CLI_OK;
    while (rc == CLI_OK && (next = mr_rows_next(rows, &ex->cli->fault)) == 1) {
        mr_arena_reset(&arena);
        line.len = 0;
        rc = export_row(&ex->table, ex->form, rows, &arena, &line) == MR_OK ? write_out(ex, &line)
                                                                            : CLI_FAILED;
        ++*count;
        cli_progress(&ex->progress, (uint64_t)(ex->at.rows + *count), ex->at.rows + *count);
    }
    if (rc == CLI_OK && next < 0)
        rc = cli_fault(ex->cli);
    mr_buf_release(&line);
    mr_arena_release(&arena);
    return rc;
}

/* On its way to the reader, and with a state to keep, on disk. */
static int save(struct export *ex)
{
    bool good = fflush(ex->out) == 0;
    if (good && ex->file.path != NULL)
        good = fsync(fileno(ex->out)) == 0 && (ex->at.bytes = ftello(ex->out)) >= 0;
    if (!good) {
        fputs("millrace: the output did not take all records\n", stderr);
        return CLI_FAILED;
    }
    return cli_state_save(&ex->file);
}

static int stretch(struct export *ex, int64_t to_ns, int64_t *count)
{
    struct mr_buf sql = MR_BUF_INIT;
    struct mr_rows *rows = NULL;
    mr_buf_str(&sql, MR_STR("SELECT * FROM "));
    cli_table_name(&sql, ex->cli);
    mr_buf_printf(&sql,
                  " WHERE time >= from_nanoseconds(%" PRId64 ") AND time < from_nanoseconds(%" PRId64 ")",
                  ex->at.next_ns, to_ns);
    int rc = open_query(ex->cli, &sql, &rows);
    if (rc == CLI_OK)
        rc = print_rows(ex, rows, count);
    mr_rows_close(rows);
    mr_buf_release(&sql);
    return rc;
}

/* Where the next rows begin: a year without any is one step. */
static int next_time(struct export *ex, int64_t *ns)
{
    struct mr_buf sql = MR_BUF_INIT;
    struct mr_rows *rows = NULL;
    mr_buf_str(&sql, MR_STR("SELECT min(time) FROM "));
    cli_table_name(&sql, ex->cli);
    mr_buf_printf(&sql,
                  " WHERE time >= from_nanoseconds(%" PRId64 ") AND time < from_nanoseconds(%" PRId64 ")",
                  ex->at.next_ns, ex->end_ns);
    int rc = open_query(ex->cli, &sql, &rows);
    if (rc == CLI_OK && mr_rows_next(rows, &ex->cli->fault) != 1)
        rc = cli_fault(ex->cli);
    if (rc == CLI_OK)
        *ns =
            mr_rows_cell(rows, 0)->kind == MR_CELL_TIMESTAMP ? mr_rows_cell(rows, 0)->v.integer : ex->end_ns;
    mr_rows_close(rows);
    mr_buf_release(&sql);
    return rc;
}

static int64_t wide(const struct export *ex, int64_t width)
{
    return width < ex->end_ns - ex->at.next_ns ? ex->at.next_ns + width : ex->end_ns;
}

static int run(struct export *ex)
{
    int rc = CLI_OK;
    int64_t stretches = ex->total / STRETCH_ROWS + 1, width = (ex->end_ns - ex->first_ns) / stretches + 1;
    while (rc == CLI_OK && ex->at.next_ns < ex->end_ns) {
        int64_t to = wide(ex, width), count = 0;
        rc = stretch(ex, to, &count);
        if (rc != CLI_OK)
            break;
        ex->at.next_ns = to;
        ex->at.rows += count;
        rc = save(ex);
        if (rc == CLI_OK && count == 0 && to < ex->end_ns)
            rc = next_time(ex, &ex->at.next_ns);
        if (count > 2 * STRETCH_ROWS)
            width = width / 2 + 1;
        else if (count < STRETCH_ROWS / 2 && width < INT64_MAX / 2)
            width *= 2;
    }
    return rc;
}

/* ---- the command ---- */

static int open_out(struct export *ex)
{
    const char *path = ex->cli->output;
    ex->out = path == NULL ? stdout : fopen(path, ex->at.bytes > 0 ? "r+" : "w");
    if (ex->out != NULL && ex->at.bytes > 0 &&
        (ftruncate(fileno(ex->out), ex->at.bytes) != 0 || fseeko(ex->out, 0, SEEK_END) != 0)) {
        fclose(ex->out);
        ex->out = NULL;
    }
    if (ex->out == NULL)
        fprintf(stderr, "millrace: %s: %s\n", path, strerror(errno));
    return ex->out != NULL ? CLI_OK : CLI_FAILED;
}

static int write_head(struct export *ex)
{
    struct mr_buf head = MR_BUF_INIT;
    export_head(&ex->table, ex->form, &head);
    int rc = mr_buf_ok(&head) ? write_out(ex, &head) : CLI_FAILED;
    mr_buf_release(&head);
    ex->at.next_ns = ex->first_ns;
    return rc == CLI_OK ? save(ex) : rc;
}

/* A table that has grown a column since cannot go on in the same file of CSV. */
static int same_columns(struct export *ex, bool found)
{
    uint32_t crc = 0;
    for (size_t i = 0; ex->form == EXPORT_CSV && i < ex->table.len; i++)
        crc = mr_crc32c(crc, ex->table.at[i].name.ptr, ex->table.at[i].name.len + 1);
    if (found && ex->at.columns != (int64_t)crc) {
        fputs("millrace: the table has other columns than when the export began\n", stderr);
        return CLI_FAILED;
    }
    ex->at.columns = (int64_t)crc;
    return CLI_OK;
}

static int go_on(struct export *ex, bool found)
{
    int rc = describe(ex->cli, &ex->table);
    if (rc == CLI_OK)
        rc = same_columns(ex, found);
    if (rc == CLI_OK)
        rc = survey(ex);
    if (rc == CLI_OK)
        rc = open_out(ex);
    if (rc != CLI_OK)
        return rc;
    cli_progress_start(&ex->progress, ex->total);
    ex->progress.done_before = ex->at.rows;
    ex->progress.count_before = (uint64_t)ex->at.rows;
    if (!found)
        rc = write_head(ex);
    if (rc == CLI_OK)
        rc = run(ex);
    if (rc == CLI_OK) {
        ex->at.done = 1;
        rc = save(ex);
    }
    cli_progress_end(&ex->progress);
    if (ex->out != stdout && fclose(ex->out) != 0 && rc == CLI_OK) {
        fprintf(stderr, "millrace: %s: %s\n", ex->cli->output, strerror(errno));
        rc = CLI_FAILED;
    }
    fprintf(stderr, "%" PRId64 " records exported\n", ex->at.rows);
    return rc;
}

static int take_form(struct cli *cli, enum export_form *form)
{
    static const char *const words[] = {[EXPORT_JSON] = "json", [EXPORT_CSV] = "csv", [EXPORT_LINE] = "line"};
    for (size_t i = 0; i < MR_ARRAY_LEN(words); i++)
        if (cli->output_format == NULL || strcmp(cli->output_format, words[i]) == 0) {
            *form = (enum export_form)i;
            return CLI_OK;
        }
    return cli_misuse(cli, "\"%s\" is no output format.", cli->output_format);
}

/* The same table, form and bounds give the same number. */
static uint32_t fingerprint(const struct export *ex)
{
    const struct cli *cli = ex->cli;
    const char *const texts[] = {cli->database, cli->table, cli->from, cli->to, cli->output};
    uint32_t crc = mr_crc32c(0, &ex->form, sizeof ex->form);
    for (size_t i = 0; i < MR_ARRAY_LEN(texts); i++)
        crc = mr_crc32c(crc, texts[i] != NULL ? texts[i] : "", texts[i] != NULL ? strlen(texts[i]) + 1 : 1);
    return crc;
}

int cli_export(struct cli *cli)
{
    struct export ex = {.cli = cli};
    const struct cli_state_field fields[] = {{"next_ns", &ex.at.next_ns},
                                             {"bytes", &ex.at.bytes},
                                             {"rows", &ex.at.rows},
                                             {"done", &ex.at.done},
                                             {"columns", &ex.at.columns}};
    bool found = false;
    if (cli->database == NULL || cli->table == NULL || cli->nwords > 0)
        return cli_misuse(cli, "A database and a table are needed, and nothing else.");
    if (cli->resume != NULL && cli->output == NULL)
        return cli_misuse(cli, "--resume needs --output: what went to standard output is gone.");
    int rc = take_form(cli, &ex.form);
    ex.file = (struct cli_state){cli->resume, fingerprint(&ex), fields, MR_ARRAY_LEN(fields)};
    if (rc == CLI_OK)
        rc = cli_state_load(&ex.file, &found);
    if (rc == CLI_OK && found && ex.at.done != 0)
        fprintf(stderr, "all of it was exported before: %" PRId64 " records\n", ex.at.rows);
    else if (rc == CLI_OK)
        rc = go_on(&ex, found);
    mr_arena_release(&ex.table.arena);
    return rc;
}
