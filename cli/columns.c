#include "cli/columns.h"

#include "base/clock.h"
#include "client/cell.h"

static const char *const type_words[] = {[MR_MEASURE_VALUE_TYPE_DOUBLE] = "double",
                                         [MR_MEASURE_VALUE_TYPE_BIGINT] = "bigint",
                                         [MR_MEASURE_VALUE_TYPE_VARCHAR] = "varchar",
                                         [MR_MEASURE_VALUE_TYPE_BOOLEAN] = "boolean",
                                         [MR_MEASURE_VALUE_TYPE_TIMESTAMP] = "timestamp"};

enum mr_measure_value_type cli_type_of(struct mr_str word)
{
    for (size_t i = 1; i < MR_ARRAY_LEN(type_words); i++)
        if (mr_str_ieq(word, mr_str_of(type_words[i])))
            return (enum mr_measure_value_type)i;
    return MR_MEASURE_VALUE_TYPE_ABSENT;
}

const char *cli_type_word(enum mr_measure_value_type type)
{
    return (size_t)type < MR_ARRAY_LEN(type_words) ? type_words[type] : NULL;
}

bool cli_time_ns(struct mr_str text, int64_t unit_ns, int64_t *ns)
{
    char plain[40];
    int64_t v;
    if (mr_str_to_i64(text, &v))
        return !__builtin_mul_overflow(v, unit_ns, ns);
    if (text.len == 0 || text.len >= sizeof plain)
        return false;
    memcpy(plain, text.ptr, text.len);
    size_t len = text.len - (plain[text.len - 1] == 'Z');
    if (len > 10 && plain[10] == 'T')
        plain[10] = ' ';
    return client_cell_timestamp((struct mr_str){plain, len}, ns);
}

/* ---- roles ---- */

/* Of "a, b:double": the next item, without blanks; ptr NULL at the end. */
static struct mr_str next_item(struct mr_str *list)
{
    if (list->len == 0)
        return MR_STR_NULL;
    size_t comma = mr_str_find(*list, ',', 0);
    struct mr_str item = mr_str_trim(mr_str_slice(*list, 0, comma));
    *list = mr_str_slice(*list, comma + 1, list->len);
    return item;
}

static void split_last(struct mr_str text, struct mr_str *name, struct mr_str *rest)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    *name = colon > 0 ? mr_str_slice(text, 0, colon - 1) : text;
    *rest = colon > 0 ? mr_str_slice(text, colon, text.len) : MR_STR_NULL;
}

static bool named(const char *option, struct mr_str name)
{
    return option != NULL && mr_str_eq(mr_str_of(option), name);
}

/* Whether an option says what the column is. */
static bool by_option(const struct cli *cli, struct mr_str name, struct cli_column *column)
{
    struct mr_str list = mr_str_of(cli->dimensions), item, bare, type;
    column->name = name;
    if (named(cli->time_column, name))
        column->role = CLI_TIME;
    else if (named(cli->measure_name_column, name))
        column->role = CLI_MEASURE_NAME;
    while (column->role == CLI_NO_ROLE && (item = next_item(&list)).ptr != NULL)
        if (mr_str_eq(item, name))
            column->role = CLI_DIMENSION;
    list = mr_str_of(cli->measures);
    while (column->role == CLI_NO_ROLE && (item = next_item(&list)).ptr != NULL) {
        split_last(item, &bare, &type);
        if (mr_str_eq(item, name) || mr_str_eq(bare, name)) {
            column->role = CLI_MULTI;
            column->type = mr_str_eq(item, name) ? MR_MEASURE_VALUE_TYPE_DOUBLE : cli_type_of(type);
        }
    }
    return column->role != CLI_NO_ROLE;
}

static bool by_name(const struct cli *cli, struct mr_str name, struct cli_column *column)
{
    struct mr_str bare, word, value = MR_STR("measure_value::");
    column->name = name;
    if (mr_str_starts(name, value)) {
        column->role = CLI_VALUE;
        column->type = cli_type_of(mr_str_slice(name, value.len, name.len));
        return column->type != MR_MEASURE_VALUE_TYPE_ABSENT;
    }
    if (cli->time_column == NULL && mr_str_eq(name, MR_STR("time")))
        column->role = CLI_TIME;
    else if (cli->measure_name_column == NULL && mr_str_eq(name, MR_STR("measure_name")))
        column->role = CLI_MEASURE_NAME;
    if (column->role != CLI_NO_ROLE)
        return true;
    split_last(name, &bare, &word);
    enum mr_measure_value_type type = cli_type_of(word);
    bool dimension = mr_str_eq(word, MR_STR("dimension"));
    if (!dimension && type == MR_MEASURE_VALUE_TYPE_ABSENT)
        return false;
    *column = (struct cli_column){.role = dimension ? CLI_DIMENSION : CLI_MULTI, .name = bare, .type = type};
    return true;
}

static void by_type(const struct cli_named *named_column, struct cli_column *column)
{
    static const enum mr_measure_value_type measures[] = {
        [MR_SCALAR_TYPE_BOOLEAN] = MR_MEASURE_VALUE_TYPE_BOOLEAN,
        [MR_SCALAR_TYPE_BIGINT] = MR_MEASURE_VALUE_TYPE_BIGINT,
        [MR_SCALAR_TYPE_INTEGER] = MR_MEASURE_VALUE_TYPE_BIGINT,
        [MR_SCALAR_TYPE_DOUBLE] = MR_MEASURE_VALUE_TYPE_DOUBLE,
        [MR_SCALAR_TYPE_TIMESTAMP] = MR_MEASURE_VALUE_TYPE_TIMESTAMP,
    };
    *column = (struct cli_column){.name = named_column->name};
    size_t type = (size_t)named_column->type;
    if (type == MR_SCALAR_TYPE_VARCHAR)
        column->role = CLI_DIMENSION;
    else if (type < MR_ARRAY_LEN(measures) && measures[type] != MR_MEASURE_VALUE_TYPE_ABSENT)
        *column = (struct cli_column){.role = CLI_MULTI, .name = named_column->name, .type = measures[type]};
}

static bool has(const struct cli_columns *c, enum cli_role role)
{
    for (size_t i = 0; i < c->len; i++)
        if (c->at[i].role == role)
            return true;
    return false;
}

/* A column that an option names and the file lacks is a slip of the pen. */
static int options_match(struct cli *cli, const struct cli_named *names, size_t n)
{
    const char *const lists[] = {cli->time_column, cli->measure_name_column, cli->dimensions, cli->measures};
    for (size_t i = 0; i < MR_ARRAY_LEN(lists); i++) {
        struct mr_str list = mr_str_of(lists[i]), item, bare, type;
        while ((item = next_item(&list)).ptr != NULL) {
            bool found = false;
            split_last(item, &bare, &type);
            for (size_t j = 0; j < n; j++)
                found = found || mr_str_eq(names[j].name, item) ||
                        (lists[i] == cli->measures && mr_str_eq(names[j].name, bare));
            if (!found)
                return cli_misuse(cli, "There is no column \"" MR_STR_FMT "\".", MR_STR_ARG(item));
            if (lists[i] == cli->measures && type.ptr != NULL &&
                cli_type_of(type) == MR_MEASURE_VALUE_TYPE_ABSENT)
                return cli_misuse(cli, "\"" MR_STR_FMT "\" is no type of a measure.", MR_STR_ARG(type));
        }
    }
    return CLI_OK;
}

static int take_unit(struct cli *cli, int64_t *ns)
{
    static const struct {
        const char *word;
        int64_t ns;
    } units[] = {{"s", MR_NS_PER_S}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};
    *ns = 1000000;
    for (size_t i = 0; cli->time_unit != NULL && i < MR_ARRAY_LEN(units); i++)
        if (strcmp(cli->time_unit, units[i].word) == 0) {
            *ns = units[i].ns;
            return CLI_OK;
        }
    return cli->time_unit == NULL ? CLI_OK : cli_misuse(cli, "\"%s\" is no unit of time.", cli->time_unit);
}

int cli_columns_plan(struct cli_columns *c, struct cli *cli, const struct cli_named *names, size_t n)
{
    int64_t unit_ns;
    int rc = take_unit(cli, &unit_ns);
    if (rc == CLI_OK)
        rc = options_match(cli, names, n);
    c->at = MR_ARENA_ARRAY(&c->arena, n + 1, struct cli_column);
    c->dimensions = MR_ARENA_ARRAY(&c->arena, n + 1, struct mr_dimension);
    c->values = MR_ARENA_ARRAY(&c->arena, n + 1, struct mr_measure_value);
    if (rc != CLI_OK || c->arena.failed)
        return rc != CLI_OK ? rc : CLI_FAILED;
    c->len = n;
    c->measure_name = mr_text(cli->measure_name);
    for (size_t i = 0; i < n; i++) {
        struct cli_named column = {.name = mr_arena_dup(&c->arena, names[i].name), .type = names[i].type};
        if (!by_option(cli, column.name, &c->at[i]) && !by_name(cli, column.name, &c->at[i]))
            by_type(&column, &c->at[i]);
        c->at[i].unit_ns = names[i].ns && names[i].type == MR_SCALAR_TYPE_TIMESTAMP ? 1 : unit_ns;
    }
    if (c->arena.failed)
        return CLI_FAILED;
    if (!has(c, CLI_TIME))
        return cli_misuse(cli, "No column is the time: name it with --time.");
    if (!has(c, CLI_MEASURE_NAME) && c->measure_name.ptr == NULL)
        return cli_misuse(cli, "No column is the measure name: --measure-name-column or --measure-name.");
    if (!has(c, CLI_VALUE) && !has(c, CLI_MULTI))
        return cli_misuse(cli, "No column is a measure: name them with --measures.");
    return CLI_OK;
}

void cli_columns_tell(const struct cli_columns *c, FILE *out)
{
    static const struct {
        enum cli_role role;
        const char *word;
    } groups[] = {{CLI_TIME, "time"},
                  {CLI_MEASURE_NAME, "measure name"},
                  {CLI_DIMENSION, "dimensions"},
                  {CLI_VALUE, "values"},
                  {CLI_MULTI, "measures"},
                  {CLI_NO_ROLE, "left out"}};
    const char *between = "millrace: ";
    for (size_t g = 0; g < MR_ARRAY_LEN(groups); g++) {
        const char *before = NULL;
        for (size_t i = 0; i < c->len; i++)
            if (c->at[i].role == groups[g].role) {
                if (before != NULL)
                    fputs(before, out);
                else
                    fprintf(out, "%s%s ", between, groups[g].word);
                fprintf(out, MR_STR_FMT, MR_STR_ARG(c->at[i].name));
                before = ", ";
                between = "; ";
            }
    }
    fputc('\n', out);
}

/* ---- rows ---- */

/* Nanoseconds as text in the arena; ptr NULL when the text is no time. */
static struct mr_text time_text(struct mr_str cell, int64_t unit_ns, struct mr_arena *arena)
{
    char digits[MR_NUMBER_TEXT];
    int64_t ns;
    if (!cli_time_ns(cell, unit_ns, &ns))
        return mr_text(NULL);
    struct mr_text number = mr_text_of_int(ns, digits);
    struct mr_str copy = mr_arena_dup(arena, (struct mr_str){number.ptr, number.len});
    return (struct mr_text){copy.ptr, copy.len};
}

static bool take_cell(struct cli_columns *c, const struct cli_column *column, struct mr_str cell,
                      struct mr_arena *arena, struct mr_record *r, const char **why)
{
    struct mr_text text = {cell.ptr, cell.len}, name = {column->name.ptr, column->name.len};
    bool is_time = column->role == CLI_TIME || column->type == MR_MEASURE_VALUE_TYPE_TIMESTAMP;
    if (is_time && (text = time_text(cell, column->unit_ns, arena)).ptr == NULL) {
        *why = "a time is neither a number nor of the form 2026-01-02 03:04:05";
        return false;
    }
    switch (column->role) {
    case CLI_DIMENSION:
        c->dimensions[r->dimensions.len++] = (struct mr_dimension){.name = name, .value = text};
        break;
    case CLI_MEASURE_NAME:
        r->measure_name = text;
        break;
    case CLI_TIME:
        r->time = text;
        r->time_unit = MR_TIME_UNIT_NANOSECONDS;
        break;
    case CLI_VALUE:
        r->measure_value = text;
        r->measure_value_type = column->type;
        break;
    case CLI_MULTI:
        c->values[r->measure_values.len++] = (struct mr_measure_value){name, text, column->type};
        break;
    default:
        break;
    }
    return true;
}

bool cli_columns_record(struct cli_columns *c, const struct mr_str *cells, struct mr_arena *arena,
                        struct mr_record *record, const char **why)
{
    memset(record, 0, sizeof *record);
    record->dimensions.at = c->dimensions;
    record->measure_values.at = c->values;
    record->measure_name = c->measure_name;
    for (size_t i = 0; i < c->len; i++)
        if (c->at[i].role != CLI_NO_ROLE && cells[i].ptr != NULL && cells[i].len > 0 &&
            !take_cell(c, &c->at[i], cells[i], arena, record, why))
            return false;
    record->dimensions.set = record->dimensions.len > 0;
    record->measure_values.set = record->measure_values.len > 0;
    if (record->measure_values.set && record->measure_value.ptr != NULL) {
        *why = "the row has a single measure and measures of its own";
        return false;
    }
    if (record->measure_values.set)
        record->measure_value_type = MR_MEASURE_VALUE_TYPE_MULTI;
    *why = "out of memory";
    return !arena->failed;
}

void cli_columns_release(struct cli_columns *c)
{
    mr_arena_release(&c->arena);
}
