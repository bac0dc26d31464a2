#include "engine/plant.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/fake_store.h"
#include "engine/harness.h"

/* ---- one small table
 * ----------------------------------------------------------------------------------------- */

enum { MACHINE = 2, F64, I64 };
static int64_t times[6], cycles[6];
static double low[6], high[6];
static const struct mr_str load[] = {{"spindle_load", 12}}, count[] = {{"cycles", 6}},
                           press1[] = {{"press-1", 7}}, press2[] = {{"press-2", 7}};
static const struct fake_column load1[] = {{{STORE_VARCHAR, true, load, NULL}, 1},
                                           {{STORE_VARCHAR, true, press1, NULL}, MACHINE},
                                           {{STORE_DOUBLE, false, low, NULL}, F64}};
static const struct fake_column load2[] = {{{STORE_VARCHAR, true, load, NULL}, 1},
                                           {{STORE_VARCHAR, true, press2, NULL}, MACHINE},
                                           {{STORE_DOUBLE, false, high, NULL}, F64}};
static const struct fake_column count1[] = {{{STORE_VARCHAR, true, count, NULL}, 1},
                                            {{STORE_VARCHAR, true, press1, NULL}, MACHINE},
                                            {{STORE_BIGINT, false, cycles, NULL}, I64}};
static const struct fake_series series[] = {
    {times, 6, 0, load1, 3}, {times, 6, 4, load2, 3}, {times, 6, 0, count1, 3}};
static struct fake_table table = {
    .series = series,
    .nseries = 3,
    .types = {STORE_TIMESTAMP, STORE_VARCHAR, STORE_VARCHAR, STORE_DOUBLE, STORE_BIGINT},
};
static const struct sql_column columns[] = {
    {{"machine_id", 10}, SQL_VARCHAR, SQL_ROLE_DIMENSION, MACHINE},
    {{"measure_name", 12}, SQL_VARCHAR, SQL_ROLE_MEASURE_NAME, 1},
    {{"time", 4}, SQL_TIMESTAMP, SQL_ROLE_TIME, 0},
    {{"measure_value::double", 21}, SQL_DOUBLE, SQL_ROLE_MEASURE_VALUE, F64},
    {{"measure_value::bigint", 21}, SQL_BIGINT, SQL_ROLE_MEASURE_VALUE, I64},
};

static int find_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                      struct sql_table *out, bool *missing_database)
{
    MR_UNUSED(ctx);
    MR_UNUSED(arena);
    *missing_database = !mr_str_eq(database, MR_STR("plant"));
    if (*missing_database || !mr_str_eq(name, MR_STR("machines")))
        return MR_ENOENT;
    *out = (struct sql_table){&table, database, name, columns, MR_ARRAY_LEN(columns)};
    return MR_OK;
}

const struct sql_lookup plant_lookup = {NULL, find_table};

/* ---- rows in the files' form
 * --------------------------------------------------------------------------------- */

/* {"ScalarValue":"x"} at `at` as x without escapes; 0 when there is another value. Returns its bytes. */
static size_t scalar(struct mr_str s, size_t at, struct mr_buf *out)
{
    static const struct mr_str open = {"{\"ScalarValue\":\"", 16};
    size_t end;

    if (!mr_str_starts(mr_str_slice(s, at, s.len), open))
        return 0;
    for (end = at + open.len; s.ptr[end] != '"'; end++) {
        if (s.ptr[end] == '\\')
            end++;
        mr_buf_char(out, s.ptr[end]);
    }
    return end + 2 - at;
}

/* "[1,NaN,2.5]" */
static bool all_numbers(struct mr_buf *items)
{
    char *end;

    mr_buf_char(items, '\0');
    items->len--;
    const char *p = items->ptr;
    do {
        p++;
        strtod(p, &end);
        if (end == p)
            return false;
        p = end;
    } while (*p == ',');
    return *p == ']';
}

static size_t array_of_scalars(struct mr_str s, size_t at, struct mr_buf *out)
{
    static const struct mr_str open = {"{\"ArrayValue\":[", 15};
    struct mr_buf items = MR_BUF_INIT;
    size_t p = at + open.len, n = 0, taken = 0;

    if (mr_str_starts(mr_str_slice(s, at, s.len), open) && s.ptr[p] == '{') {
        mr_buf_char(&items, '[');
        while ((n = scalar(s, p, &items)) > 0) {
            p += n;
            if (s.ptr[p] != ',')
                break;
            mr_buf_char(&items, ',');
            p++;
        }
        mr_buf_char(&items, ']');
        if (n > 0 && s.ptr[p] == ']') {
            /* words are left in JSON: a comma inside one could not be told from the next */
            if (all_numbers(&items)) {
                mr_buf_str(out, mr_buf_view(&items));
                taken = p + 2 - at;
            }
        }
    }
    mr_buf_release(&items);
    return taken;
}

/* Bytes of the JSON object at `at`. */
static size_t object(struct mr_str s, size_t at)
{
    size_t p = at, depth = 0;
    bool quoted = false;

    do {
        char c = s.ptr[p++];
        if (c == '\\' && quoted)
            p++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
    } while (depth > 0);
    return p - at;
}

/* [cell,cell,...] of the harness. */
static void compact_row(struct mr_str s, struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("=> "));
    for (size_t at = 1; at < s.len && s.ptr[at] != ']';) {
        size_t n = scalar(s, at, out);
        if (n == 0)
            n = array_of_scalars(s, at, out);
        if (n == 0) {
            n = object(s, at);
            struct mr_str json = mr_str_slice(s, at, at + n);
            mr_buf_str(out, mr_str_eq(json, MR_STR("{\"NullValue\":true}")) ? MR_STR("null") : json);
        }
        at += n;
        if (s.ptr[at] == ',') {
            mr_buf_str(out, MR_STR(" | "));
            at++;
        }
    }
    mr_buf_char(out, '\n');
}

static void compact(struct mr_str rows, struct mr_buf *out)
{
    for (size_t at = 0; at < rows.len;) {
        size_t end = mr_str_find(rows, '\n', at);
        struct mr_str line = mr_str_slice(rows, at, end);
        if (line.ptr[0] == '[')
            compact_row(line, out);
        else
            mr_buf_printf(out, "! " MR_STR_FMT "\n",
                          MR_STR_ARG(mr_str_slice(line, mr_str_find(line, ' ', 0) + 1, line.len)));
        at = end + 1;
    }
}

/* ---- running
 * ------------------------------------------------------------------------------------------------- */

void plant_run(struct mr_str text, struct mr_buf *out)
{
    const struct sql_env env = {.lookup = &plant_lookup, .now_ns = PLANT_NOW, .time_floor = INT64_MIN};
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan = NULL;
    struct sql_error error = {0};
    struct mr_buf rows = MR_BUF_INIT;

    if (sql_prepare(text, &env, &arena, &plan, &error) != MR_OK) {
        mr_buf_printf(out, "! " MR_STR_FMT "\n", MR_STR_ARG(error.message));
    } else {
        harness_run(plan, NULL, &rows);
        if (rows.len == 0)
            mr_buf_str(out, MR_STR("=>\n"));
        compact(mr_buf_view(&rows), out);
        if (memmem(out->ptr, out->len, "internal", 8) != NULL)
            print_error(MR_STR_FMT "\n", MR_STR_ARG(plan->duckdb));
    }
    mr_buf_release(&rows);
    mr_arena_release(&arena);
}

int plant_open(void **state)
{
    for (int i = 0; i < 6; i++) {
        times[i] = i * 60 * MR_NS_PER_S;
        cycles[i] = i;
        low[i] = i / 2.0;
        high[i] = 10 + i / 2.0;
    }
    return harness_open(state);
}
