/* tests/unit/sql/duckdb.c - the database accepts every statement of the goldens and gives the promised types.
 *
 * Our own functions are registered from engine_functions.def without bodies: only preparing is tested here.
 */
#include <stdio.h>
#include <stdlib.h>

#include <duckdb.h>

#include "cases.h"
#include "fixture.h"
#include "lib/check.h"

enum { SCALAR, VOLATILE, AGGREGATE };

static const struct sql_plan *current;

static duckdb_logical_type pair_list(duckdb_type a, const char *name_a, duckdb_logical_type second,
                                     const char *name_b)
{
    duckdb_logical_type members[2] = {duckdb_create_logical_type(a), second};
    const char *names[2] = {name_a, name_b};
    duckdb_logical_type pair = duckdb_create_struct_type(members, names, 2);
    duckdb_logical_type list = duckdb_create_list_type(pair);
    duckdb_destroy_logical_type(&pair);
    duckdb_destroy_logical_type(&members[0]);
    duckdb_destroy_logical_type(&members[1]);
    return list;
}

static duckdb_logical_type list_of(duckdb_logical_type elem)
{
    duckdb_logical_type list = duckdb_create_list_type(elem);
    duckdb_destroy_logical_type(&elem);
    return list;
}

/* One letter of a signature of engine_functions.def. */
static duckdb_logical_type read_type(const char **s)
{
    switch (*(*s)++) {
    case 'b':
        return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    case 'i':
        return duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    case 'l':
        return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    case 'd':
        return duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    case 's':
        return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    case 'u':
        return duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
    case 'h':
        return duckdb_create_logical_type(DUCKDB_TYPE_HUGEINT);
    case '[': {
        duckdb_logical_type list = list_of(read_type(s));
        (*s)++;
        return list;
    }
    case 'P':
        return pair_list(DUCKDB_TYPE_BIGINT, "t", duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE), "v");
    case 'R':
        return pair_list(DUCKDB_TYPE_VARCHAR, "lit", list_of(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR)),
                         "groups");
    default:
        fail_msg("a type letter that nobody knows");
        return NULL;
    }
}

static void no_body(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    MR_UNUSED(in);
    MR_UNUSED(out);
    duckdb_scalar_function_set_error(info, "not built in this test");
}

static void register_scalar(duckdb_connection conn, const char *name, int kind, const char *args,
                            const char *result)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(f, name);
    while (*args != '\0') {
        duckdb_logical_type t = read_type(&args);
        if (*args == '*')
            duckdb_scalar_function_set_varargs(f, t);
        else
            duckdb_scalar_function_add_parameter(f, t);
        args += *args == '*';
        duckdb_destroy_logical_type(&t);
    }
    duckdb_logical_type t = read_type(&result);
    duckdb_scalar_function_set_return_type(f, t);
    duckdb_destroy_logical_type(&t);
    if (kind == VOLATILE)
        duckdb_scalar_function_set_volatile(f);
    duckdb_scalar_function_set_function(f, no_body);
    assert_int_equal(duckdb_register_scalar_function(conn, f), DuckDBSuccess);
    duckdb_destroy_scalar_function(&f);
}

static idx_t state_size(duckdb_function_info info)
{
    MR_UNUSED(info);
    return 8;
}

static void state_init(duckdb_function_info info, duckdb_aggregate_state state)
{
    MR_UNUSED(info);
    MR_UNUSED(state);
}

static void update(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states)
{
    MR_UNUSED(info);
    MR_UNUSED(in);
    MR_UNUSED(states);
}

static void combine(duckdb_function_info info, duckdb_aggregate_state *from, duckdb_aggregate_state *to,
                    idx_t n)
{
    MR_UNUSED(info);
    MR_UNUSED(from);
    MR_UNUSED(to);
    MR_UNUSED(n);
}

static void finalize(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out, idx_t n,
                     idx_t at)
{
    MR_UNUSED(info);
    MR_UNUSED(states);
    MR_UNUSED(out);
    MR_UNUSED(n);
    MR_UNUSED(at);
}

static void register_aggregate(duckdb_connection conn, const char *name, const char *args, const char *result)
{
    duckdb_aggregate_function f = duckdb_create_aggregate_function();
    duckdb_aggregate_function_set_name(f, name);
    while (*args != '\0') {
        duckdb_logical_type t = read_type(&args);
        duckdb_aggregate_function_add_parameter(f, t);
        duckdb_destroy_logical_type(&t);
    }
    duckdb_logical_type t = read_type(&result);
    duckdb_aggregate_function_set_return_type(f, t);
    duckdb_destroy_logical_type(&t);
    duckdb_aggregate_function_set_functions(f, state_size, state_init, update, combine, finalize);
    assert_int_equal(duckdb_register_aggregate_function(conn, f), DuckDBSuccess);
    duckdb_destroy_aggregate_function(&f);
}

static void register_function(duckdb_connection conn, const char *name, int kind, const char *args,
                              const char *result)
{
    if (kind == AGGREGATE)
        register_aggregate(conn, name, args, result);
    else
        register_scalar(conn, name, kind, args, result);
}

static char kind_letter(enum sql_kind kind)
{
    return kind == SQL_VARCHAR ? 's' : kind == SQL_DOUBLE ? 'd' : kind == SQL_BOOLEAN ? 'b' : 'l';
}

static void scan_bind(duckdb_bind_info info)
{
    duckdb_value v = duckdb_bind_get_parameter(info, 0);
    const struct sql_scan *s = &current->scans[duckdb_get_int64(v)];
    duckdb_destroy_value(&v);
    for (size_t i = 0; i < s->ncolumns; i++) {
        char name[32], letter[2] = {kind_letter(s->kinds[i]), '\0'};
        const char *sig = letter;
        snprintf(name, sizeof name, "c%zu", i);
        duckdb_logical_type t = read_type(&sig);
        duckdb_bind_add_result_column(info, name, t);
        duckdb_destroy_logical_type(&t);
    }
}

static void scan_init(duckdb_init_info info)
{
    MR_UNUSED(info);
}

static void scan_rows(duckdb_function_info info, duckdb_data_chunk out)
{
    MR_UNUSED(info);
    duckdb_data_chunk_set_size(out, 0);
}

static void register_scan(duckdb_connection conn)
{
    duckdb_table_function f = duckdb_create_table_function();
    duckdb_logical_type number = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_table_function_set_name(f, "mr_scan");
    duckdb_table_function_add_parameter(f, number);
    duckdb_table_function_set_bind(f, scan_bind);
    duckdb_table_function_set_init(f, scan_init);
    duckdb_table_function_set_function(f, scan_rows);
    duckdb_table_function_supports_projection_pushdown(f, true);
    assert_int_equal(duckdb_register_table_function(conn, f), DuckDBSuccess);
    duckdb_destroy_logical_type(&number);
    duckdb_destroy_table_function(&f);
}

/* How sql.h says that a type is carried. */
static duckdb_type carried(const struct sql_type *t)
{
    switch (t->kind) {
    case SQL_BOOLEAN:
        return DUCKDB_TYPE_BOOLEAN;
    case SQL_UNKNOWN:
    case SQL_INTEGER:
    case SQL_DATE:
    case SQL_INTERVAL_YEAR:
        return DUCKDB_TYPE_INTEGER;
    case SQL_DOUBLE:
        return DUCKDB_TYPE_DOUBLE;
    case SQL_VARCHAR:
        return DUCKDB_TYPE_VARCHAR;
    case SQL_ARRAY:
    case SQL_TIMESERIES:
        return DUCKDB_TYPE_LIST;
    case SQL_ROW:
        return DUCKDB_TYPE_STRUCT;
    default:
        return DUCKDB_TYPE_BIGINT;
    }
}

/* The whole type, members and elements included. */
static bool same_type(duckdb_logical_type have, const struct sql_type *want)
{
    bool same = duckdb_get_type_id(have) == carried(want);
    if (same && (want->kind == SQL_ARRAY || want->kind == SQL_TIMESERIES)) {
        duckdb_logical_type elem = duckdb_list_type_child_type(have);
        if (want->kind == SQL_ARRAY) {
            same = same_type(elem, want->elem);
        } else {
            duckdb_logical_type value = duckdb_struct_type_child_type(elem, 1);
            same = same_type(value, want->elem);
            duckdb_destroy_logical_type(&value);
        }
        duckdb_destroy_logical_type(&elem);
    }
    for (size_t i = 0; same && i < want->nfields; i++) {
        duckdb_logical_type member = duckdb_struct_type_child_type(have, i);
        same = same_type(member, want->fields[i].type);
        duckdb_destroy_logical_type(&member);
    }
    return same;
}

static int prepare(duckdb_connection conn, const struct sql_case *c, const struct sql_plan *plan)
{
    duckdb_prepared_statement statement;
    char *text = strndup(plan->duckdb.ptr, plan->duckdb.len);
    int bad = 0;
    assert_non_null(text);
    current = plan;
    if (duckdb_prepare(conn, text, &statement) != DuckDBSuccess) {
        print_error("%s: %s\n%s\n", c->path, duckdb_prepare_error(statement), text);
        bad = 1;
    }
    for (size_t i = 0; bad == 0 && i < plan->noutputs; i++) {
        duckdb_logical_type t = duckdb_prepared_statement_column_logical_type(statement, i);
        if (!same_type(t, plan->outputs[i].type)) {
            print_error("%s: column %zu has another type\n%s\n", c->path, i, text);
            bad = 1;
        }
        duckdb_destroy_logical_type(&t);
    }
    duckdb_destroy_prepare(&statement);
    free(text);
    return bad;
}

static void every_statement(void **state)
{
    duckdb_database db;
    duckdb_connection conn;
    size_t n;
    int bad = 0;
    MR_UNUSED(state);
    assert_int_equal(duckdb_open(NULL, &db), DuckDBSuccess);
    assert_int_equal(duckdb_connect(db, &conn), DuckDBSuccess);
#define SQL_ENGINE_FN(name, kind, args, result) register_function(conn, #name, kind, args, result);
#include "sql/engine_functions.def"
#undef SQL_ENGINE_FN
    register_scan(conn);
    struct sql_case *cases = cases_load(&n);
    for (size_t i = 0; i < n; i++) {
        struct mr_arena arena = MR_ARENA_INIT;
        struct sql_plan *plan;
        struct sql_error error;
        struct sql_env env = fixture_env;
        env.prepare = strchr(cases[i].text, '@') != NULL;
        if (sql_prepare((struct mr_str){cases[i].text, cases[i].len}, &env, &arena, &plan, &error) == MR_OK &&
            plan->duckdb.ptr != NULL)
            bad += prepare(conn, &cases[i], plan);
        mr_arena_release(&arena);
    }
    cases_free(cases, n);
    duckdb_disconnect(&conn);
    duckdb_close(&db);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_statement)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
