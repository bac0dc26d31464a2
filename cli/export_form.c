/* One row of a table as a Record in JSON, as a row of CSV, or as a line of Influx line protocol. */
#include "cli/export.h"

#include "model/model.h"

static const struct cli_column *column_named(const struct export_table *t, struct mr_text name)
{
    for (size_t i = 0; i < t->len; i++)
        if (mr_str_eq((struct mr_str){name.ptr, name.len}, t->at[i].name))
            return &t->at[i];
    return NULL;
}

/* What a value of a record is: its text, and times as nanoseconds. */
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

static void take_cell(const struct cli_column *column, const struct mr_cell *cell, struct mr_arena *arena,
                      struct mr_record *r)
{
    struct mr_text name = {column->name.ptr, column->name.len};
    switch (column->role) {
    case CLI_DIMENSION:
        r->dimensions.at[r->dimensions.len++] = (struct mr_dimension){.name = name, .value = cell->text};
        break;
    case CLI_MEASURE_NAME:
        r->measure_name = cell->text;
        break;
    case CLI_TIME:
        r->time = value_text(cell, arena);
        r->time_unit = MR_TIME_UNIT_NANOSECONDS;
        break;
    case CLI_VALUE:
        r->measure_value = value_text(cell, arena);
        r->measure_value_type = type_of(cell);
        break;
    case CLI_MULTI:
        r->measure_values.at[r->measure_values.len++] =
            (struct mr_measure_value){name, value_text(cell, arena), type_of(cell)};
        r->measure_value_type = MR_MEASURE_VALUE_TYPE_MULTI;
        break;
    default:
        break;
    }
}

static bool take_row(const struct export_table *t, const struct mr_rows *rows, struct mr_arena *arena,
                     struct mr_record *r)
{
    memset(r, 0, sizeof *r);
    r->dimensions.at = MR_ARENA_ARRAY(arena, t->len, struct mr_dimension);
    r->measure_values.at = MR_ARENA_ARRAY(arena, t->len, struct mr_measure_value);
    if (r->dimensions.at == NULL || r->measure_values.at == NULL)
        return false;
    for (size_t i = 0; i < mr_rows_width(rows); i++) {
        const struct mr_cell *cell = mr_rows_cell(rows, i);
        const struct cli_column *column = column_named(t, mr_rows_column(rows, i)->name);
        if (cell->kind != MR_CELL_NULL && column != NULL)
            take_cell(column, cell, arena, r);
    }
    r->dimensions.set = r->dimensions.len > 0;
    r->measure_values.set = r->measure_values.len > 0;
    return !arena->failed;
}

/* ---- CSV ---- */

static void csv_text(struct mr_buf *out, struct mr_str text)
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

/* "host:dimension", "load:double"; "time", "measure_name" and "measure_value::double" by themselves. */
void export_head(const struct export_table *t, enum export_form form, struct mr_buf *out)
{
    struct mr_buf name = MR_BUF_INIT;
    for (size_t i = 0; form == EXPORT_CSV && i < t->len; i++) {
        const struct cli_column *c = &t->at[i];
        const char *word = c->role == CLI_DIMENSION ? "dimension"
                           : c->role == CLI_MULTI   ? cli_type_word(c->type)
                                                    : NULL;
        name.len = 0;
        mr_buf_str(&name, c->name);
        if (word != NULL)
            mr_buf_printf(&name, ":%s", word);
        mr_buf_str(out, i > 0 ? MR_STR(",") : MR_STR(""));
        csv_text(out, mr_buf_view(&name));
    }
    if (form == EXPORT_CSV)
        mr_buf_char(out, '\n');
    out->failed = out->failed || name.failed;
    mr_buf_release(&name);
}

static void print_csv(const struct export_table *t, const struct mr_rows *rows, struct mr_buf *out)
{
    for (size_t i = 0; i < t->len; i++) {
        mr_buf_str(out, i > 0 ? MR_STR(",") : MR_STR(""));
        for (size_t j = 0; j < mr_rows_width(rows); j++) {
            const struct mr_cell *cell = mr_rows_cell(rows, j);
            struct mr_text column = mr_rows_column(rows, j)->name;
            if (cell->kind == MR_CELL_NULL ||
                !mr_str_eq((struct mr_str){column.ptr, column.len}, t->at[i].name))
                continue;
            csv_text(out, (struct mr_str){cell->text.ptr, cell->text.len});
        }
    }
}

/* ---- line protocol ---- */

/* Backslashes before what would end the word. A backslash itself stays, as the protocol has it. */
static void line_word(struct mr_buf *out, struct mr_text word, const char *marks)
{
    for (size_t i = 0; i < word.len; i++) {
        if (strchr(marks, word.ptr[i]) != NULL)
            mr_buf_char(out, '\\');
        mr_buf_char(out, word.ptr[i] == '\n' ? ' ' : word.ptr[i]);
    }
}

static void line_field(struct mr_buf *out, struct mr_text name, struct mr_text value,
                       enum mr_measure_value_type type)
{
    line_word(out, name, ", =\\");
    mr_buf_char(out, '=');
    if (type != MR_MEASURE_VALUE_TYPE_VARCHAR) {
        mr_buf_add(out, value.ptr, value.len);
        if (type == MR_MEASURE_VALUE_TYPE_BIGINT || type == MR_MEASURE_VALUE_TYPE_TIMESTAMP)
            mr_buf_char(out, 'i');
        return;
    }
    mr_buf_char(out, '"');
    line_word(out, value, "\"\\");
    mr_buf_char(out, '"');
}

/* A single measure becomes the field "value", with its type behind unless that is double: a measure of a
 * table has one type. */
static struct mr_text value_field(enum mr_measure_value_type type)
{
    static const char *const names[] = {[MR_MEASURE_VALUE_TYPE_BIGINT] = "value_bigint",
                                        [MR_MEASURE_VALUE_TYPE_VARCHAR] = "value_varchar",
                                        [MR_MEASURE_VALUE_TYPE_BOOLEAN] = "value_boolean",
                                        [MR_MEASURE_VALUE_TYPE_TIMESTAMP] = "value_timestamp"};
    bool other = (size_t)type < MR_ARRAY_LEN(names) && names[type] != NULL;
    return mr_text(other ? names[type] : "value");
}

static void print_line(const struct mr_record *r, struct mr_buf *out)
{
    line_word(out, r->measure_name, ", =\\");
    for (size_t i = 0; i < r->dimensions.len; i++) {
        mr_buf_char(out, ',');
        line_word(out, r->dimensions.at[i].name, ", =\\");
        mr_buf_char(out, '=');
        line_word(out, r->dimensions.at[i].value, ", =\\");
    }
    mr_buf_char(out, ' ');
    for (size_t i = 0; i < r->measure_values.len; i++) {
        mr_buf_str(out, i > 0 ? MR_STR(",") : MR_STR(""));
        line_field(out, r->measure_values.at[i].name, r->measure_values.at[i].value,
                   r->measure_values.at[i].type);
    }
    if (r->measure_values.len == 0)
        line_field(out, value_field(r->measure_value_type), r->measure_value, r->measure_value_type);
    mr_buf_char(out, ' ');
    mr_buf_add(out, r->time.ptr, r->time.len);
}

int export_row(const struct export_table *t, enum export_form form, const struct mr_rows *rows,
               struct mr_arena *arena, struct mr_buf *out)
{
    struct mr_record record;
    if (form == EXPORT_CSV)
        print_csv(t, rows, out);
    else if (!take_row(t, rows, arena, &record))
        return MR_ENOMEM;
    else if (form == EXPORT_JSON)
        model_encode(&model_shape_record, &record, out);
    else
        print_line(&record, out);
    mr_buf_char(out, '\n');
    return mr_buf_ok(out) && !arena->failed ? MR_OK : MR_ENOMEM;
}
