/* Rows as a table, as CSV (RFC 4180), or as JSON lines. */
#include "cli/cli.h"

#include <math.h>

#include "json/write.h"

#define LAYOUT_ROWS 500 /* a table's widths follow from these */
#define WIDEST 60       /* characters a column may take beyond its name */

struct cli_output {
    enum cli_format format;
    FILE *file;
    size_t columns;
    size_t at; /* column of the next cell */
    struct mr_buf *names;
    size_t *widths;
    struct mr_buf line;
    struct mr_buf *held; /* cells of the first rows, of a table */
    size_t nheld, held_cap, laid_rows;
    bool *right; /* of a held or printed column: numbers */
    bool started, failed;
};

/* ---- cells as text and as JSON ---- */

static void write_json(struct mr_buf *out, const struct mr_cell *cell);

static void write_items(struct mr_buf *out, const struct mr_cells *items)
{
    mr_buf_char(out, '[');
    for (size_t i = 0; i < items->len; i++) {
        if (i > 0)
            mr_buf_char(out, ',');
        write_json(out, &items->at[i]);
    }
    mr_buf_char(out, ']');
}

/* 2262 is far: nine digits, as the service writes times. */
static void write_time(struct mr_buf *out, int64_t ns)
{
    struct mr_cell cell = {.kind = MR_CELL_INT, .v = {.integer = ns}};
    char digits[MR_NUMBER_TEXT];
    struct mr_text text = mr_text_of_int(cell.v.integer, digits);
    mr_buf_add(out, text.ptr, text.len);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the library reads */
static void write_json(struct mr_buf *out, const struct mr_cell *cell)
{
    struct mr_str text = {cell->text.ptr, cell->text.len};
    switch (cell->kind) {
    case MR_CELL_NULL:
        mr_buf_str(out, MR_STR("null"));
        break;
    case MR_CELL_BOOLEAN:
        mr_buf_str(out, cell->v.boolean ? MR_STR("true") : MR_STR("false"));
        break;
    case MR_CELL_INT:
        json_write_i64(out, cell->v.integer);
        break;
    case MR_CELL_DOUBLE:
        if (isfinite(cell->v.number))
            json_write_double(out, cell->v.number);
        else
            json_write_string(out, text);
        break;
    case MR_CELL_ARRAY:
    case MR_CELL_ROW:
        write_items(out, &cell->v.items);
        break;
    case MR_CELL_SERIES:
        mr_buf_char(out, '[');
        for (size_t i = 0; i < cell->v.points.len; i++) {
            mr_buf_str(out, i > 0 ? MR_STR(",[") : MR_STR("["));
            write_time(out, cell->v.points.at[i].time_ns);
            mr_buf_char(out, ',');
            write_json(out, &cell->v.points.at[i].value);
            mr_buf_char(out, ']');
        }
        mr_buf_char(out, ']');
        break;
    default:
        json_write_string(out, text);
        break;
    }
}

static bool is_number(enum mr_cell_kind kind)
{
    return kind == MR_CELL_INT || kind == MR_CELL_DOUBLE;
}

/* Scalars as the service wrote them; what has structure as JSON; NULL as nothing. */
static void write_plain(struct mr_buf *out, const struct mr_cell *cell)
{
    if (cell->kind == MR_CELL_ARRAY || cell->kind == MR_CELL_ROW || cell->kind == MR_CELL_SERIES)
        write_json(out, cell);
    else if (cell->text.ptr != NULL)
        mr_buf_add(out, cell->text.ptr, cell->text.len);
}

/* ---- CSV ---- */

static void write_csv(struct mr_buf *out, struct mr_str text)
{
    bool quote = false;
    for (size_t i = 0; i < text.len; i++)
        quote = quote || strchr("\",\r\n", text.ptr[i]) != NULL;
    if (!quote) {
        mr_buf_str(out, text);
        return;
    }
    mr_buf_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            mr_buf_char(out, '"');
        mr_buf_char(out, text.ptr[i]);
    }
    mr_buf_char(out, '"');
}

/* ---- tables ---- */

/* Control characters would break the table, or the terminal. */
static void tame(struct mr_buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        if ((unsigned char)text->ptr[i] < 0x20 || text->ptr[i] == 0x7f)
            text->ptr[i] = ' ';
}

static void pad(struct mr_buf *out, size_t n)
{
    while (n-- > 0)
        mr_buf_char(out, ' ');
}

static void table_cell(struct cli_output *o, struct mr_str text, size_t column)
{
    size_t length = mr_utf8_length(text), width = o->widths[column],
           room = length < width ? width - length : 0;
    if (column > 0)
        mr_buf_str(&o->line, MR_STR("  "));
    if (o->right[column])
        pad(&o->line, room);
    mr_buf_str(&o->line, text);
    if (!o->right[column] && column + 1 < o->columns)
        pad(&o->line, room);
}

static void flush_line(struct cli_output *o)
{
    mr_buf_char(&o->line, '\n');
    o->failed =
        o->failed || !mr_buf_ok(&o->line) || fwrite(o->line.ptr, 1, o->line.len, o->file) != o->line.len;
    o->line.len = 0;
}

/* Names, a rule, and the rows held back. */
static void start_table(struct cli_output *o)
{
    o->started = true;
    for (size_t i = 0; i < o->columns; i++)
        table_cell(o, mr_buf_view(&o->names[i]), i);
    flush_line(o);
    for (size_t i = 0; i < o->columns; i++) {
        for (size_t k = 0; k < o->widths[i]; k++)
            mr_buf_char(&o->line, '-');
        if (i + 1 < o->columns)
            mr_buf_str(&o->line, MR_STR("  "));
    }
    flush_line(o);
    for (size_t i = 0; i < o->nheld; i++) {
        table_cell(o, mr_buf_view(&o->held[i]), i % o->columns);
        if (i % o->columns == o->columns - 1)
            flush_line(o);
        mr_buf_release(&o->held[i]);
    }
    o->nheld = 0;
}

static void hold(struct cli_output *o, struct mr_buf *text)
{
    void *items = o->held;
    if (mr_grow(&items, &o->held_cap, o->nheld + 1, sizeof *o->held) != MR_OK) {
        o->failed = true;
        mr_buf_release(text);
        return;
    }
    o->held = items;
    o->held[o->nheld++] = *text;
    size_t length = mr_utf8_length(mr_buf_view(text));
    if (length > o->widths[o->at])
        o->widths[o->at] = length < WIDEST ? length : o->widths[o->at] > WIDEST ? o->widths[o->at] : WIDEST;
}

/* ---- the interface ---- */

int cli_output_open(struct cli_output **out, enum cli_format format, FILE *file, size_t columns)
{
    struct cli_output *o = mr_calloc(1, sizeof *o);
    if (o == NULL)
        return MR_ENOMEM;
    *o = (struct cli_output){.format = format, .file = file, .columns = columns};
    o->names = mr_calloc(columns, sizeof *o->names);
    o->widths = mr_calloc(columns, sizeof *o->widths);
    o->right = mr_calloc(columns, sizeof *o->right);
    *out = o;
    if (o->names != NULL && o->widths != NULL && o->right != NULL)
        return MR_OK;
    (void)cli_output_close(o);
    *out = NULL;
    return MR_ENOMEM;
}

void cli_output_name(struct cli_output *o, size_t column, struct mr_text name)
{
    mr_buf_add(&o->names[column], name.ptr, name.len);
    tame(&o->names[column]);
    o->widths[column] = mr_utf8_length(mr_buf_view(&o->names[column]));
}

static void start(struct cli_output *o)
{
    if (o->started || o->format == CLI_TABLE)
        return;
    o->started = true;
    for (size_t i = 0; o->format == CLI_CSV && i < o->columns; i++) {
        if (i > 0)
            mr_buf_char(&o->line, ',');
        write_csv(&o->line, mr_buf_view(&o->names[i]));
    }
    if (o->format == CLI_CSV)
        flush_line(o);
}

void cli_output_cell(struct cli_output *o, const struct mr_cell *cell)
{
    struct mr_buf text = MR_BUF_INIT;
    start(o);
    if (o->format == CLI_JSON) {
        mr_buf_char(&o->line, o->at == 0 ? '{' : ',');
        json_write_string(&o->line, mr_buf_view(&o->names[o->at]));
        mr_buf_char(&o->line, ':');
        write_json(&o->line, cell);
    } else {
        write_plain(&text, cell);
        if (o->format == CLI_CSV) {
            if (o->at > 0)
                mr_buf_char(&o->line, ',');
            write_csv(&o->line, mr_buf_view(&text));
            mr_buf_release(&text);
        } else {
            tame(&text);
            o->right[o->at] = o->right[o->at] || is_number(cell->kind);
            if (o->started) {
                table_cell(o, mr_buf_view(&text), o->at);
                mr_buf_release(&text);
            } else {
                hold(o, &text);
            }
        }
    }
    o->at++;
}

void cli_output_text(struct cli_output *o, struct mr_text text)
{
    struct mr_cell cell = {.kind = text.ptr != NULL ? MR_CELL_TEXT : MR_CELL_NULL, .text = text};
    cli_output_cell(o, &cell);
}

void cli_output_int(struct cli_output *o, struct mr_int v)
{
    char digits[MR_NUMBER_TEXT];
    struct mr_cell cell = {.kind = MR_CELL_NULL};
    if (v.set)
        cell =
            (struct mr_cell){.kind = MR_CELL_INT, .text = mr_text_of_int(v.v, digits), .v = {.integer = v.v}};
    cli_output_cell(o, &cell);
}

void cli_output_row(struct cli_output *o)
{
    o->at = 0;
    if (o->format == CLI_JSON)
        mr_buf_char(&o->line, '}');
    if (o->started)
        flush_line(o);
    else if (++o->laid_rows >= LAYOUT_ROWS)
        start_table(o);
}

int cli_output_close(struct cli_output *o)
{
    if (o->names != NULL && o->widths != NULL && o->right != NULL) {
        start(o); /* a result without rows has a head all the same */
        if (o->format == CLI_TABLE && !o->started)
            start_table(o);
    }
    bool failed = o->failed || fflush(o->file) != 0;
    for (size_t i = 0; o->names != NULL && i < o->columns; i++)
        mr_buf_release(&o->names[i]);
    for (size_t i = 0; i < o->nheld; i++)
        mr_buf_release(&o->held[i]);
    mr_free(o->held);
    mr_free(o->names);
    mr_free(o->widths);
    mr_free(o->right);
    mr_buf_release(&o->line);
    mr_free(o);
    return failed ? MR_EIO : MR_OK;
}
