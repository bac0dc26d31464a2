/* One piece of an import: its rows to records. */
#include "cli/csv.h"
#include "cli/import.h"
#include "cli/input.h"
#include "cli/parquet.h"

static int read_lines(struct import *im, const struct piece *piece)
{
    struct cli_input *in = cli_input_open(piece->path);
    struct mr_str line;
    bool cut;
    int next = -1, rc = in != NULL ? CLI_OK : CLI_FAILED;
    while (rc == CLI_OK && (next = cli_input_line(in, &line, &cut)) == 1) {
        if (import_begins(im)) {
            if (cut)
                cli_load_bad(&im->load, "the line is longer than 1 MiB", MR_STR(""));
            else
                rc = cli_load_line(&im->load, line, piece->kind == PIECE_LINE);
        }
        if (rc == CLI_OK)
            rc = import_ended(im, cli_input_done(in));
    }
    cli_input_close(in);
    return rc == CLI_OK && next < 0 ? CLI_FAILED : rc;
}

/* ---- columns ---- */

/* The columns of the file and, behind them, those that its path names; room for the cells of both. */
struct table {
    struct mr_arena arena;
    struct cli_named *names;
    struct mr_str *cells;
    size_t width; /* of the file */
    size_t all;
};

static bool in_path(const struct piece *piece, struct mr_str name)
{
    for (size_t i = 0; piece->file != NULL && i < piece->file->npartition; i++)
        if (mr_str_eq(piece->file->partition[i].name, name))
            return true;
    return false;
}

static bool table_room(struct table *t, size_t width, const struct piece *piece)
{
    size_t more = piece->file != NULL ? piece->file->npartition : 0;
    t->names = MR_ARENA_ARRAY(&t->arena, width + more + 1, struct cli_named);
    t->cells = MR_ARENA_ARRAY(&t->arena, width + more + 1, struct mr_str);
    return t->names != NULL && t->cells != NULL;
}

/* The columns of the path are known by the description, or are text. */
static int plan(struct import *im, struct table *t, const struct piece *piece)
{
    t->all = t->width;
    for (size_t i = 0; piece->file != NULL && i < piece->file->npartition; i++) {
        const struct mr_pair *pair = &piece->file->partition[i];
        enum mr_scalar_type type = MR_SCALAR_TYPE_VARCHAR;
        for (size_t j = 0; j < piece->unload->ncolumns; j++)
            if (mr_str_eq(piece->unload->columns[j].name, pair->name))
                type = piece->unload->columns[j].type;
        t->names[t->all] = (struct cli_named){.name = pair->name, .type = type};
        t->cells[t->all++] = pair->value;
    }
    cli_columns_release(&im->columns);
    im->columns = (struct cli_columns){.arena = MR_ARENA_INIT};
    int rc = cli_columns_plan(&im->columns, im->cli, t->names, t->all);
    if (rc == CLI_OK && !im->told)
        cli_columns_tell(&im->columns, stderr);
    im->told = im->told || rc == CLI_OK;
    return rc;
}

static int take_row(struct import *im, struct table *t, struct mr_str text)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_record record;
    const char *why = "";
    int rc = CLI_OK;
    if (cli_columns_record(&im->columns, t->cells, &arena, &record, &why))
        rc = cli_load_record(&im->load, &record, text);
    else
        cli_load_bad(&im->load, why, text);
    mr_arena_release(&arena);
    return rc;
}

/* ---- CSV ---- */

/* UNLOAD's files begin with a header only when it was asked to. */
static bool is_header(const struct cli_csv *csv, const struct table *t)
{
    if (csv->len != t->width)
        return false;
    for (size_t i = 0; i < csv->len; i++)
        if (!mr_str_eq(cli_csv_cell(csv, i), t->names[i].name))
            return false;
    return true;
}

static bool is_blank(const struct cli_csv *csv, enum cli_csv_result result)
{
    return result == CLI_CSV_ROW && csv->len == 1 && cli_csv_cell(csv, 0).len == 0;
}

static int csv_columns(struct import *im, struct table *t, const struct piece *piece,
                       const struct cli_csv *csv, bool *header)
{
    size_t n = piece->unload != NULL ? piece->unload->ncolumns : csv->len;
    if (!table_room(t, n, piece))
        return CLI_FAILED;
    for (size_t i = 0; i < n; i++)
        if (piece->unload == NULL)
            t->names[t->width++] = (struct cli_named){.name = mr_arena_dup(&t->arena, cli_csv_cell(csv, i))};
        else if (!in_path(piece, piece->unload->columns[i].name))
            t->names[t->width++] = piece->unload->columns[i];
    *header = piece->unload == NULL || is_header(csv, t);
    return t->arena.failed ? CLI_FAILED : plan(im, t, piece);
}

static int csv_row(struct import *im, struct table *t, const struct cli_csv *csv)
{
    if (csv->len != t->width) {
        cli_load_bad(&im->load, "the row has another number of cells than the columns",
                     mr_buf_view(&csv->raw));
        return CLI_OK;
    }
    for (size_t i = 0; i < csv->len; i++)
        t->cells[i] = cli_csv_cell(csv, i);
    return take_row(im, t, mr_buf_view(&csv->raw));
}

static int csv_stopped(const struct piece *piece, const char *why)
{
    fprintf(stderr, "millrace: %s: %s\n", piece->path, why);
    return CLI_FAILED;
}

/* What came of one line. *first: no row has been seen yet. */
static int csv_line(struct import *im, struct table *t, const struct piece *piece, struct cli_csv *csv,
                    struct mr_str line, bool *first)
{
    bool header = false;
    enum cli_csv_result result = cli_csv_feed(csv, line);
    int rc = CLI_OK;
    if (result == CLI_CSV_MORE || is_blank(csv, result))
        return CLI_OK;
    if (result == CLI_CSV_STOP || (result == CLI_CSV_BAD && *first))
        return csv_stopped(piece, csv->why);
    if (*first)
        rc = csv_columns(im, t, piece, csv, &header);
    *first = false;
    if (rc != CLI_OK || header)
        return rc;
    if (import_begins(im)) {
        if (result == CLI_CSV_BAD)
            cli_load_bad(&im->load, csv->why, mr_buf_view(&csv->raw));
        else
            rc = csv_row(im, t, csv);
    }
    return rc;
}

static int take_separators(struct cli *cli, const struct piece *piece, struct cli_csv *csv)
{
    const char *delimiter = cli->delimiter != NULL ? cli->delimiter : ",";
    const char *escape = cli->escape != NULL ? cli->escape : piece->unload != NULL ? "\\" : "";
    if (strcmp(delimiter, "tab") == 0 || strcmp(delimiter, "\\t") == 0)
        delimiter = "\t";
    if (strlen(delimiter) != 1 || delimiter[0] == '"' || delimiter[0] == '\n' || delimiter[0] == '\r')
        return cli_misuse(cli, "--delimiter takes one character, or the word tab.");
    if (strlen(escape) > 1 || escape[0] == delimiter[0])
        return cli_misuse(cli, "--escape takes one character, another than the delimiter.");
    csv->delimiter = delimiter[0];
    csv->escape = escape[0] != '\0' && escape[0] != '"' ? (unsigned char)escape[0] : -1;
    return CLI_OK;
}

static int read_csv(struct import *im, const struct piece *piece)
{
    struct cli_csv csv = {.delimiter = ','};
    struct table t = {.arena = MR_ARENA_INIT};
    struct mr_str line;
    bool cut, first = true;
    int next = -1, rc = take_separators(im->cli, piece, &csv);
    struct cli_input *in = rc == CLI_OK ? cli_input_open(piece->path) : NULL;
    if (rc == CLI_OK && in == NULL)
        rc = CLI_FAILED;
    while (rc == CLI_OK && (next = cli_input_line(in, &line, &cut)) >= 0) {
        int64_t before = im->in_piece;
        if (next == 0 && !csv.begun)
            break;
        rc = cut ? csv_stopped(piece, "a line is longer than 1 MiB")
                 : csv_line(im, &t, piece, &csv, next == 1 ? line : MR_STR(""), &first);
        if (rc == CLI_OK && im->in_piece > before)
            rc = import_ended(im, cli_input_done(in));
    }
    cli_input_close(in);
    cli_csv_release(&csv);
    mr_arena_release(&t.arena);
    return rc == CLI_OK && next < 0 ? CLI_FAILED : rc;
}

/* ---- Parquet ---- */

static int parquet_failed(const struct piece *piece, const struct mr_error *err)
{
    fprintf(stderr, "millrace: %s: %s\n", piece->path, err->text[0] != '\0' ? err->text : "out of memory");
    return CLI_FAILED;
}

/* Two rows of a series within a microsecond would become one. */
static void warn_of_coarse(const struct piece *piece, const struct cli_parquet *p, size_t column)
{
    if (cli_parquet_coarse(p, column))
        fprintf(stderr,
                "millrace: %s: the times of " MR_STR_FMT
                " are INT96 and lose what is below a microsecond; CSV "
                "keeps it\n",
                piece->path, MR_STR_ARG(cli_parquet_name(p, column)));
}

static int parquet_columns(struct import *im, struct table *t, const struct piece *piece,
                           const struct cli_parquet *p)
{
    t->width = cli_parquet_width(p);
    if (!table_room(t, t->width, piece))
        return CLI_FAILED;
    for (size_t i = 0; i < t->width; i++) {
        t->names[i] =
            (struct cli_named){.name = cli_parquet_name(p, i), .type = cli_parquet_type(p, i), .ns = true};
        warn_of_coarse(piece, p, i);
    }
    return plan(im, t, piece);
}

/* A row that was refused before it was a record is shown as its cells. */
static struct mr_str row_text(const struct table *t, struct mr_buf *out)
{
    out->len = 0;
    for (size_t i = 0; i < t->width; i++) {
        mr_buf_str(out, i > 0 ? MR_STR(",") : MR_STR(""));
        if (t->cells[i].ptr != NULL)
            mr_buf_str(out, t->cells[i]);
    }
    return mr_buf_view(out);
}

static int read_parquet(struct import *im, const struct piece *piece)
{
    struct mr_error err = MR_ERROR_INIT;
    struct table t = {.arena = MR_ARENA_INIT};
    struct mr_buf text = MR_BUF_INIT;
    struct cli_parquet *p;
    int next = 0, rc = CLI_OK;
    if (cli_parquet_open(&p, piece->path, &err) != MR_OK)
        return parquet_failed(piece, &err);
    rc = parquet_columns(im, &t, piece, p);
    while (rc == CLI_OK && (next = cli_parquet_next(p, &err)) == 1) {
        if (import_begins(im)) {
            for (size_t i = 0; i < t.width; i++)
                t.cells[i] = cli_parquet_cell(p, i);
            rc = take_row(im, &t, row_text(&t, &text));
        }
        if (rc == CLI_OK)
            rc = import_ended(im, 0);
    }
    if (rc == CLI_OK && next < 0)
        rc = parquet_failed(piece, &err);
    cli_parquet_close(p);
    mr_buf_release(&text);
    mr_arena_release(&t.arena);
    return rc;
}

int import_read(struct import *im, const struct piece *piece)
{
    switch (piece->kind) {
    case PIECE_CSV:
        return read_csv(im, piece);
    case PIECE_PARQUET:
        return read_parquet(im, piece);
    default:
        return read_lines(im, piece);
    }
}
