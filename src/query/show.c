/* SHOW DATABASES / TABLES / MEASURES, DESCRIBE and EXPLAIN: rows from the catalog and the schema, no engine
 * (query-language reference 4.5 to 4.8). */
#include "query/run.h"

#include "json/write.h"

#include <stdlib.h>

/* Bytes of the character at p (valid UTF-8). */
static size_t char_len(struct mr_str s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    return at + n <= s.len ? n : s.len - at;
}

/* One pattern element at `at`: its length in *width, and whether it is a wildcard. */
static char element(struct mr_str pattern, size_t at, struct mr_str escape, size_t *skip, size_t *width)
{
    *skip = 0;
    if (escape.len != 0 && mr_str_starts(mr_str_slice(pattern, at, pattern.len), escape) &&
        at + escape.len < pattern.len) {
        *skip = escape.len;
        *width = char_len(pattern, at + escape.len);
        return 'c';
    }
    *width = char_len(pattern, at);
    return pattern.ptr[at] == '%' || pattern.ptr[at] == '_' ? pattern.ptr[at] : 'c';
}

bool query_like(struct mr_str text, struct mr_str pattern, struct mr_str escape)
{
    size_t t = 0, p = 0, star_p = SIZE_MAX, star_t = 0;
    while (t < text.len) {
        size_t skip, width;
        char kind = p < pattern.len ? element(pattern, p, escape, &skip, &width) : '\0';
        if (kind == '%') {
            star_p = ++p;
            star_t = t;
        } else if (kind == '_') {
            p++;
            t += char_len(text, t);
        } else if (kind == 'c' && mr_str_starts(mr_str_slice(text, t, text.len),
                                                mr_str_slice(pattern, p + skip, p + skip + width))) {
            p += skip + width;
            t += width;
        } else if (star_p != SIZE_MAX) { /* let the last % take one more character */
            star_t += char_len(text, star_t);
            t = star_t;
            p = star_p;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '%')
        p++;
    return p == pattern.len;
}

static bool wanted(const struct query_run *run, struct mr_str name)
{
    return run->plan->like.ptr == NULL || query_like(name, run->plan->like, run->plan->like_escape);
}

static void scalar(struct mr_buf *out, struct mr_str text)
{
    mr_buf_str(out, MR_STR("{\"ScalarValue\":"));
    json_write_string(out, text);
    mr_buf_char(out, '}');
}

/* Adds the row whose Data elements are in `data`; empties data. */
static int add_row(struct query_run *run, struct mr_buf *data)
{
    struct query_rows *rows = &run->fixed;
    if (rows->len == rows->cap) {
        size_t cap = rows->cap != 0 ? rows->cap * 2 : 64;
        struct mr_str *at = MR_ARENA_ARRAY(&run->arena, cap, struct mr_str);
        if (at == NULL)
            return MR_ENOMEM;
        if (rows->len != 0)
            memcpy(at, rows->at, rows->len * sizeof *at);
        rows->at = at;
        rows->cap = cap;
    }
    struct mr_str row =
        mr_arena_printf(&run->arena, "{\"Data\":[" MR_STR_FMT "]}", MR_STR_ARG(mr_buf_view(data)));
    if (row.ptr == NULL || !mr_buf_ok(data))
        return MR_ENOMEM;
    rows->at[rows->len++] = row;
    data->len = 0;
    return MR_OK;
}

#define PAGE 1000

static int show_databases(struct query_service *s, struct query_run *run, struct mr_buf *data)
{
    struct mr_str after = MR_STR_NULL;
    bool more = true;
    while (more) {
        struct catalog_database *list;
        size_t n;
        int status = catalog_database_list(s->options.catalog, after, PAGE, &run->arena, &list, &n, &more);
        for (size_t i = 0; status == MR_OK && i < n; i++) {
            after = list[i].name;
            if (!wanted(run, after))
                continue;
            scalar(data, after);
            status = add_row(run, data);
        }
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

static int show_tables(struct query_service *s, struct query_run *run, struct mr_buf *data)
{
    struct mr_str after_database = MR_STR_NULL, after_table = MR_STR_NULL;
    bool more = true;
    while (more) {
        struct catalog_table *list;
        size_t n;
        int status = catalog_table_list(s->options.catalog, run->plan->database, after_database, after_table,
                                        PAGE, &run->arena, &list, &n, &more);
        for (size_t i = 0; status == MR_OK && i < n; i++) {
            after_database = list[i].database;
            after_table = list[i].name;
            if (!wanted(run, after_table))
                continue;
            scalar(data, after_table);
            status = add_row(run, data);
        }
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

static const char *type_name(enum store_type type)
{
    switch (type) {
    case STORE_DOUBLE:
        return "double";
    case STORE_BIGINT:
        return "bigint";
    case STORE_BOOLEAN:
        return "boolean";
    case STORE_TIMESTAMP:
        return "timestamp";
    case STORE_MULTI:
        return "multi";
    default:
        return "varchar";
    }
}

/* Ascending by name; the schema has them in order of first appearance. */
static int by_measure_name(const void *a, const void *b)
{
    return mr_str_cmp(((const struct store_measure *)a)->name, ((const struct store_measure *)b)->name);
}

static int show_measures(const struct query_table *t, struct query_run *run, struct mr_buf *data)
{
    size_t n = t->schema.nmeasures;
    struct store_measure *sorted = MR_ARENA_ARRAY(&run->arena, n + 1, struct store_measure);
    if (sorted == NULL)
        return MR_ENOMEM;
    if (n != 0)
        memcpy(sorted, t->schema.measures, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_measure_name);
    for (size_t i = 0; i < n; i++) {
        if (!wanted(run, sorted[i].name))
            continue;
        scalar(data, sorted[i].name);
        mr_buf_char(data, ',');
        scalar(data, mr_str_of(type_name(sorted[i].type)));
        mr_buf_str(data, MR_STR(",{\"ArrayValue\":["));
        for (size_t d = 0; d < sorted[i].ndims; d++) {
            mr_buf_str(data,
                       d != 0 ? MR_STR(",{\"RowValue\":{\"Data\":[") : MR_STR("{\"RowValue\":{\"Data\":["));
            scalar(data, t->schema.columns[sorted[i].dims[d]].name);
            mr_buf_str(data, MR_STR(",{\"ScalarValue\":\"varchar\"}]}}"));
        }
        mr_buf_str(data, MR_STR("]}"));
        int status = add_row(run, data);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

static const char *const role_names[] = {
    [SQL_ROLE_TIME] = "TIMESTAMP",      [SQL_ROLE_MEASURE_NAME] = "MEASURE_NAME",
    [SQL_ROLE_DIMENSION] = "DIMENSION", [SQL_ROLE_MEASURE_VALUE] = "MEASURE_VALUE",
    [SQL_ROLE_ATTRIBUTE] = "MULTI",
};

static int describe(const struct sql_table *t, struct query_run *run, struct mr_buf *data)
{
    for (size_t i = 0; i < t->ncolumns; i++) {
        const struct sql_column *c = &t->columns[i];
        const struct sql_type type = {.kind = c->kind};
        scalar(data, c->name);
        mr_buf_char(data, ',');
        scalar(data, sql_type_text(&type, &run->arena));
        mr_buf_char(data, ',');
        scalar(data, mr_str_of(role_names[c->role]));
        int status = add_row(run, data);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

static int explain(struct query_run *run, struct mr_buf *data)
{
    struct mr_str rest = run->plan->explain;
    while (rest.len > 0) {
        size_t end = mr_str_find(rest, '\n', 0);
        scalar(data, mr_str_slice(rest, 0, end));
        int status = add_row(run, data);
        if (status != MR_OK)
            return status;
        rest = mr_str_slice(rest, end + 1, rest.len);
    }
    return MR_OK;
}

/* The table a SHOW MEASURES or DESCRIBE names, with a fault in AWS's words when it is not there. */
static int named_table(struct query_service *s, struct query_run *run, struct sql_table *table,
                       struct mr_arena *arena, struct model_fault *fault)
{
    bool no_database;
    int status =
        query_find_table(s, run, run->plan->database, run->plan->table, table, &no_database, arena, fault);
    if (status != MR_ENOENT)
        return status;
    struct mr_str missing = no_database ? run->plan->database : run->plan->table;
    return model_fail(fault, MODEL_VALIDATION, arena,
                      "Requested %s '" MR_STR_FMT "' not found for identifier '" MR_STR_FMT "." MR_STR_FMT
                      "'",
                      no_database ? "database" : "table", MR_STR_ARG(missing),
                      MR_STR_ARG(run->plan->database), MR_STR_ARG(run->plan->table));
}

int query_show(struct query_service *s, struct query_run *run, struct mr_arena *arena,
               struct model_fault *fault)
{
    struct mr_buf data = MR_BUF_INIT;
    struct sql_table table = {0};
    struct catalog_database database;
    int status = MR_OK;
    switch (run->plan->statement) {
    case SQL_SHOW_DATABASES:
        status = show_databases(s, run, &data);
        break;
    case SQL_SHOW_TABLES:
        if (run->plan->database.ptr != NULL)
            status = catalog_database_get(s->options.catalog, run->plan->database, &run->arena, &database);
        if (status == MR_ENOENT)
            status =
                model_fail(fault, MODEL_VALIDATION, arena, "Requested database '" MR_STR_FMT "' not found",
                           MR_STR_ARG(run->plan->database));
        else if (status == MR_OK)
            status = show_tables(s, run, &data);
        break;
    case SQL_SHOW_MEASURES:
    case SQL_DESCRIBE:
        status = named_table(s, run, &table, arena, fault);
        if (status == MR_OK)
            status = run->plan->statement == SQL_DESCRIBE ? describe(&table, run, &data)
                                                          : show_measures(table.handle, run, &data);
        break;
    default:
        status = explain(run, &data);
        break;
    }
    mr_buf_release(&data);
    return status;
}
