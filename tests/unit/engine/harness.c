#include "engine/harness.h"

struct engine *harness_engine;

int harness_open(void **state)
{
    const struct engine_options options = {.memory_limit = (size_t)256 << 20, .threads = 2, .help_from = 1};
    struct mr_error err = MR_ERROR_INIT;
    MR_UNUSED(state);
    check_ok(engine_open(&options, &harness_engine, &err), &err);
    return 0;
}

int harness_close(void **state)
{
    MR_UNUSED(state);
    engine_close(harness_engine);
    return 0;
}

static const struct sql_type *composite(const char **letters, char open, struct mr_arena *arena)
{
    struct sql_type *type = MR_ARENA_NEW(arena, struct sql_type);
    char close = open == '[' ? ']' : open == '<' ? '>' : ')';

    assert_non_null(type);
    if (open == '(') {
        struct sql_field *fields = MR_ARENA_ARRAY(arena, 16, struct sql_field);
        assert_non_null(fields);
        type->kind = SQL_ROW;
        type->fields = fields;
        while (**letters != close)
            fields[type->nfields++].type = harness_type(letters, arena);
    } else {
        type->kind = open == '[' ? SQL_ARRAY : SQL_TIMESERIES;
        type->elem = harness_type(letters, arena);
    }
    assert_int_equal(**letters, close);
    (*letters)++;
    return type;
}

const struct sql_type *harness_type(const char **letters, struct mr_arena *arena)
{
    static const struct {
        char letter;
        struct sql_type type;
    } scalars[] = {
        {'?', {.kind = SQL_UNKNOWN}},      {'b', {.kind = SQL_BOOLEAN}},       {'i', {.kind = SQL_INTEGER}},
        {'l', {.kind = SQL_BIGINT}},       {'d', {.kind = SQL_DOUBLE}},        {'s', {.kind = SQL_VARCHAR}},
        {'D', {.kind = SQL_DATE}},         {'T', {.kind = SQL_TIME}},          {'t', {.kind = SQL_TIMESTAMP}},
        {'v', {.kind = SQL_INTERVAL_DAY}}, {'y', {.kind = SQL_INTERVAL_YEAR}},
    };
    char c = *(*letters)++;
    for (size_t i = 0; i < MR_ARRAY_LEN(scalars); i++)
        if (scalars[i].letter == c)
            return &scalars[i].type;
    assert_true(c == '[' || c == '(' || c == '<');
    return composite(letters, c, arena);
}

void harness_case_init(struct harness_case *c, const char *sql, const char *types)
{
    struct sql_output *outputs;
    size_t n = 0;

    memset(c, 0, sizeof(*c));
    outputs = MR_ARENA_ARRAY(&c->arena, strlen(types) + 1, struct sql_output);
    assert_non_null(outputs);
    while (*types != '\0')
        outputs[n++].type = harness_type(&types, &c->arena);
    c->plan = (struct sql_plan){
        .statement = SQL_SELECT, .duckdb = mr_str_of(sql), .outputs = outputs, .noutputs = n};
}

void harness_case_release(struct harness_case *c)
{
    mr_arena_release(&c->arena);
}

void harness_run(const struct sql_plan *plan, const struct engine_limits *limits, struct mr_buf *out)
{
    struct mr_error err = MR_ERROR_INIT;
    struct engine_run *run = NULL;
    struct mr_buf row = MR_BUF_INIT;
    int status = engine_run_open(harness_engine, plan, NULL, limits, &run, &err);

    while (status == MR_OK) {
        row.len = 0;
        status = engine_run_row(run, &row, &err);
        if (status == MR_OK) {
            struct mr_str s = mr_buf_view(&row);
            assert_true(mr_str_starts(s, MR_STR("{\"Data\":[")) && s.ptr[s.len - 1] == '}');
            if (out->len > 0)
                mr_buf_char(out, '\n');
            mr_buf_str(out, mr_str_slice(s, 8, s.len - 1));
        }
    }
    if (status != MR_ENOENT)
        mr_buf_printf(out, "%s %s", mr_status_name((enum mr_status)status), err.text);
    engine_run_close(run);
    mr_buf_release(&row);
}

void check_rows(const char *sql, const char *types, const char *want)
{
    struct harness_case c;
    struct mr_buf got = MR_BUF_INIT;

    harness_case_init(&c, sql, types);
    harness_run(&c.plan, NULL, &got);
    if (!mr_str_eq(mr_buf_view(&got), mr_str_of(want)))
        print_error("%s\n", sql);
    check_str(mr_buf_view(&got), want);
    mr_buf_release(&got);
    harness_case_release(&c);
}

static void strip(struct mr_buf *text)
{
    static const struct mr_str scalar = {"[{\"ScalarValue\":\"", 17};
    struct mr_str s = mr_buf_view(text);
    struct mr_buf out = MR_BUF_INIT;

    if (mr_str_eq(s, MR_STR("[{\"NullValue\":true}]")))
        mr_buf_str(&out, MR_STR("null"));
    else if (mr_str_starts(s, scalar))
        mr_buf_str(&out, mr_str_slice(s, scalar.len, s.len - 3));
    else if (mr_str_starts(s, MR_STR("MR_")) || mr_str_find(s, '[', 0) != 0)
        mr_buf_printf(&out, "! " MR_STR_FMT, MR_STR_ARG(mr_str_slice(s, mr_str_find(s, ' ', 0) + 1, s.len)));
    else
        mr_buf_str(&out, s);
    mr_buf_release(text);
    *text = out;
}

void check_value(const char *type, const char *expression, const char *want)
{
    struct harness_case c;
    struct mr_buf sql = MR_BUF_INIT, got = MR_BUF_INIT;

    mr_buf_printf(&sql, "SELECT %s", expression);
    mr_buf_char(&sql, '\0');
    harness_case_init(&c, sql.ptr, type);
    harness_run(&c.plan, NULL, &got);
    strip(&got);
    if (!mr_str_eq(mr_buf_view(&got), mr_str_of(want)))
        print_error("%s\n", expression);
    check_str(mr_buf_view(&got), want);
    mr_buf_release(&got);
    mr_buf_release(&sql);
    harness_case_release(&c);
}

void check_values(const struct value_case *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_value(values[i].type, values[i].expression, values[i].want);
}

#ifdef __SANITIZE_THREAD__
/* libduckdb is not instrumented, so ThreadSanitizer sees the memory its threads hand over but not the locks
 * by which they do it. Left out are only its own code and the reads of its result chunks. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libduckdb.so\n"
           "called_from_lib:libstdc++.so\n"
           "race:libduckdb.so\n"
           "race:libstdc++.so\n"
           "mutex:libduckdb.so\n"
           "race:row_coder_row\n"
           "race:row_coder_chunk\n";
}
#endif
