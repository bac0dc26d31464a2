/* Pages and rows: iterating over what comes in pieces, and every type of value in C. */
#include "fake.h"

#include <math.h>
#include <stdio.h>

#include "client/cell.h"

static void test_who_paginates(void **state)
{
    (void)state;
    static const enum mr_operation paged[] = {MR_OP_LIST_DATABASES,
                                              MR_OP_LIST_TABLES,
                                              MR_OP_LIST_BATCH_LOAD_TASKS,
                                              MR_OP_LIST_TAGS_FOR_RESOURCE,
                                              MR_OP_QUERY,
                                              MR_OP_LIST_SCHEDULED_QUERIES,
                                              MR_OP_QUERY_LIST_TAGS_FOR_RESOURCE};
    size_t count = 0;
    for (int op = -1; op < 200; op++)
        count += mr_can_paginate((enum mr_operation)op);
    assert_int_equal(count, MR_ARRAY_LEN(paged));
    for (size_t i = 0; i < MR_ARRAY_LEN(paged); i++)
        assert_true(mr_can_paginate(paged[i]));
    assert_int_equal(mr_operation_find("ListDatabases"), MR_OP_LIST_DATABASES);
    assert_int_equal(mr_operation_find("list_databases"), MR_OP_LIST_DATABASES);
    assert_int_equal(mr_operation_find("query_tag_resource"), MR_OP_QUERY_TAG_RESOURCE);
    assert_int_equal(mr_operation_find("query"), MR_OP_QUERY);
    assert_int_equal(mr_operation_find("drop_everything"), MR_OP_NONE);
    assert_string_equal(mr_operation_name(MR_OP_QUERY_TAG_RESOURCE), "TagResource");
    assert_null(mr_operation_name((enum mr_operation)99));
}

static void test_waiters(void **state)
{
    (void)state;
    const char *const *names;
    struct mr_fault fault = MR_FAULT_INIT;
    assert_int_equal(mr_waiter_names(&names), 0);
    assert_null(names[0]);
    assert_int_equal(mr_wait_for(NULL, "table_active", &fault), MR_ERR_ARGUMENT);
    assert_non_null(strstr(fault.message, "defines no waiters"));
    mr_fault_clear(&fault);
}

static void test_pages(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    fake_answer(&f, 0, 200,
                "{\"Databases\":[{\"DatabaseName\":\"a\"},{\"DatabaseName\":\"b\"}],\"NextToken\":\"t1\"}");
    fake_answer(&f, 0, 404, "{\"__type\":\"x#ResourceNotFoundException\",\"message\":\"gone\"}");
    fake_answer(&f, 0, 200, "{\"Databases\":[],\"NextToken\":\"t2\"}");
    fake_answer(&f, 0, 200, "{\"Databases\":[{\"DatabaseName\":\"c\"}]}");
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_paginator *pages;
    char text[8] = "x";
    struct mr_list_tables_request bad = {.database_name = mr_text(text)};
    assert_int_equal(mr_paginator_open(c, MR_OP_CREATE_TABLE, &bad, &pages, &fault), MR_ERR_ARGUMENT);
    struct mr_list_databases_request request = {.max_results = mr_int(2)};
    assert_int_equal(mr_paginator_open(c, MR_OP_LIST_DATABASES, &request, &pages, &fault), 0);
    request.max_results.v = 99; /* the request was copied */
    const struct mr_list_databases_response *page = mr_paginator_next(pages, &fault);
    assert_int_equal(page->databases.len, 2);
    assert_null(mr_paginator_next(pages, &fault));
    assert_int_equal(fault.error, MR_ERR_SERVICE);
    page = mr_paginator_next(pages, &fault); /* the same page again, not the end */
    assert_int_equal(page->databases.len, 0);
    page = mr_paginator_next(pages, &fault);
    assert_string_equal(page->databases.at[0].database_name.ptr, "c");
    assert_null(mr_paginator_next(pages, &fault));
    assert_int_equal(fault.error, 0);
    assert_string_equal(f.requests[0].body, "{\"MaxResults\":2}");
    assert_string_equal(f.requests[1].body, "{\"NextToken\":\"t1\",\"MaxResults\":2}");
    assert_string_equal(f.requests[2].body, f.requests[1].body);
    assert_string_equal(f.requests[3].body, "{\"NextToken\":\"t2\",\"MaxResults\":2}");
    assert_int_equal(f.nrequests, 4);
    mr_paginator_close(pages);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

static void test_a_token_that_goes_in_circles(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    fake_answer(&f, 0, 200, "{\"NextToken\":\"same\"}");
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_paginator *pages;
    struct mr_list_databases_request request = {.max_results = {false, 0}};
    assert_int_equal(mr_paginator_open(c, MR_OP_LIST_DATABASES, &request, &pages, NULL), 0);
    assert_non_null(mr_paginator_next(pages, &fault));
    assert_null(mr_paginator_next(pages, &fault));
    assert_int_equal(fault.error, MR_ERR_ANSWER);
    mr_paginator_close(pages);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

#define SCALAR(type) "{\"Name\":\"c\",\"Type\":{\"ScalarType\":\"" type "\"}}"
#define COLUMNS                                                                                              \
    "\"ColumnInfo\":[" SCALAR("BIGINT") "," SCALAR("DOUBLE") "," SCALAR("VARCHAR") "," SCALAR(               \
        "TIMESTAMP") "," SCALAR("BOOLEAN") ",{\"Name\":\"a\",\"Type\":{\"ArrayColumnInfo\":{\"Type\":{"      \
                                           "\"ScalarType\":\"INTEGER\"}}}},"                                 \
                                           "{\"Name\":\"r\",\"Type\":{\"RowColumnInfo\":[" SCALAR(           \
                                               "DATE") "," SCALAR("TIME") "]}},"                             \
                                                                          "{\"Name\":\"s\",\"Type\":{"       \
                                                                          "\"TimeSeriesMeasureValueColumnIn" \
                                                                          "fo\":{\"Type\":{\"ScalarType\":"  \
                                                                          "\"DOUBLE\"}}}}]"

static void test_rows_of_every_type(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    fake_answer(
        &f, 0, 200,
        "{\"QueryId\":\"Q7\",\"NextToken\":\"t1\",\"Rows\":[],\"ColumnInfo\":[]}"); /* still working */
    fake_answer(&f, 0, 200, "{\"QueryId\":\"Q7\",\"NextToken\":\"t2\",\"Rows\":[]," COLUMNS "}");
    fake_answer(
        &f, 0, 200,
        "{\"QueryId\":\"Q7\"," COLUMNS ",\"QueryStatus\":{\"ProgressPercentage\":100.0},\"Rows\":[{\"Data\":["
        "{\"ScalarValue\":\"-9223372036854775808\"},{\"ScalarValue\":\"1.25E-3\"},{\"ScalarValue\":"
        "\"gr\\u00fcn\"},"
        "{\"ScalarValue\":\"2023-03-09 06:47:15.209000001\"},{\"ScalarValue\":\"true\"},"
        "{\"ArrayValue\":[{\"ScalarValue\":\"7\"},{\"NullValue\":true}]},"
        "{\"RowValue\":{\"Data\":[{\"ScalarValue\":\"1969-12-31\"},{\"ScalarValue\":\"06:30:00.000000001\"}]}"
        "},"
        "{\"TimeSeriesValue\":[{\"Time\":\"1970-01-01 "
        "00:00:01.000000000\",\"Value\":{\"ScalarValue\":\"NaN\"}}]}]},"
        "{\"Data\":[{\"NullValue\":true},{\"NullValue\":true},{\"NullValue\":true},{\"NullValue\":true},"
        "{\"NullValue\":true},{\"ArrayValue\":[]},{\"NullValue\":true},{\"NullValue\":true}]}]}");
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_rows *rows;
    struct mr_query_request request = {.query_string = mr_text("SELECT everything")};
    assert_int_equal(mr_rows_open(c, &request, &rows, &fault), 0);
    assert_int_equal(mr_rows_width(rows), 8);
    assert_string_equal(mr_rows_query_id(rows), "Q7");
    assert_int_equal(mr_rows_column(rows, 1)->type->scalar_type, MR_SCALAR_TYPE_DOUBLE);
    assert_null(mr_rows_column(rows, 8));
    assert_null(mr_rows_cell(rows, 0));
    assert_int_equal(mr_rows_next(rows, &fault), 1);
    const struct mr_cell *cell = mr_rows_cell(rows, 0);
    assert_true(cell->kind == MR_CELL_INT && cell->v.integer == INT64_MIN);
    cell = mr_rows_cell(rows, 1);
    assert_true(cell->kind == MR_CELL_DOUBLE && cell->v.number == 1.25e-3);
    cell = mr_rows_cell(rows, 2);
    assert_true(cell->kind == MR_CELL_TEXT);
    assert_string_equal(cell->text.ptr, "gr\xc3\xbcn");
    cell = mr_rows_cell(rows, 3);
    assert_true(cell->kind == MR_CELL_TIMESTAMP && cell->v.integer == INT64_C(1678344435209000001));
    cell = mr_rows_cell(rows, 4);
    assert_true(cell->kind == MR_CELL_BOOLEAN && cell->v.boolean);
    cell = mr_rows_cell(rows, 5);
    assert_true(cell->kind == MR_CELL_ARRAY && cell->v.items.len == 2);
    assert_true(cell->v.items.at[0].v.integer == 7 && cell->v.items.at[1].kind == MR_CELL_NULL);
    cell = mr_rows_cell(rows, 6);
    assert_true(cell->kind == MR_CELL_ROW && cell->v.items.at[0].kind == MR_CELL_DATE);
    assert_true(cell->v.items.at[0].v.integer == -1 &&
                cell->v.items.at[1].v.integer == INT64_C(23400000000001));
    cell = mr_rows_cell(rows, 7);
    assert_true(cell->kind == MR_CELL_SERIES && cell->v.points.at[0].time_ns == MR_NS_PER_S);
    assert_true(isnan(cell->v.points.at[0].value.v.number));
    assert_null(mr_rows_cell(rows, 8));
    assert_int_equal(mr_rows_next(rows, &fault), 1);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(mr_rows_cell(rows, i)->kind, i == 5 ? MR_CELL_ARRAY : MR_CELL_NULL);
    assert_int_equal(mr_rows_next(rows, &fault), 0);
    assert_int_equal(mr_rows_next(rows, &fault), 0);
    assert_true(mr_rows_status(rows)->progress_percentage.v == 100.0);
    mr_rows_close(rows);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

static void test_scalars(void **state)
{
    (void)state;
    static const struct {
        int type;
        const char *text;
        enum mr_cell_kind kind;
        int64_t integer;
    } cases[] = {
        {MODEL_SCALAR_TYPE_INTEGER, "42", MR_CELL_INT, 42},
        {MODEL_SCALAR_TYPE_BIGINT, "9223372036854775808", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_BIGINT, "4x", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_TIMESTAMP, "2262-04-11 23:47:16.854775807", MR_CELL_TIMESTAMP, INT64_MAX},
        {MODEL_SCALAR_TYPE_TIMESTAMP, "2262-04-11 23:47:16.854775808", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_TIMESTAMP, "9999-12-31 00:00:00.000000000", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_TIMESTAMP, "2023-03-09 06:47:15", MR_CELL_TIMESTAMP, INT64_C(1678344435000000000)},
        {MODEL_SCALAR_TYPE_TIMESTAMP, "2023-03-09", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_TIMESTAMP, "2023-03-09 24:00:00.000000000", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_TIMESTAMP, "2023-03-09 06:47:15.2090000011", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_DATE, "2023-03-09", MR_CELL_DATE, 19425},
        {MODEL_SCALAR_TYPE_DATE, "-0044-03-15", MR_CELL_DATE, -735525},
        {MODEL_SCALAR_TYPE_DATE, "", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_TIME, "23:59:59.999999999", MR_CELL_TIME, INT64_C(86399999999999)},
        {MODEL_SCALAR_TYPE_INTERVAL_DAY_TO_SECOND, "2 15:00:00.000000000", MR_CELL_INTERVAL,
         INT64_C(226800000000000)},
        {MODEL_SCALAR_TYPE_INTERVAL_DAY_TO_SECOND, "-0 00:00:01.500000000", MR_CELL_INTERVAL,
         INT64_C(-1500000000)},
        {MODEL_SCALAR_TYPE_INTERVAL_DAY_TO_SECOND, "999999999 00:00:00.000000000", MR_CELL_TEXT, 0},
        {MODEL_SCALAR_TYPE_INTERVAL_YEAR_TO_MONTH, "4-4", MR_CELL_MONTHS, 52},
        {MODEL_SCALAR_TYPE_INTERVAL_YEAR_TO_MONTH, "-2-10", MR_CELL_MONTHS, -34},
        {MODEL_SCALAR_TYPE_ABSENT, "of a type to come", MR_CELL_TEXT, 0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct mr_arena arena = MR_ARENA_INIT;
        struct mr_cell cell;
        struct model_type type = {.scalar_type = cases[i].type};
        struct model_datum datum = {.scalar_value = mr_str_of(cases[i].text)};
        assert_int_equal(client_cell_read(&type, &datum, &arena, &cell), MR_OK);
        if (cell.kind != cases[i].kind || (cell.kind != MR_CELL_TEXT && cell.v.integer != cases[i].integer))
            fail_msg("%s: kind %d, %lld", cases[i].text, (int)cell.kind, (long long)cell.v.integer);
        mr_arena_release(&arena);
    }
}

static void test_rows_that_do_not_fit(void **state)
{
    (void)state;
    static const char *const rows_json[] = {"[{\"Data\":[]}]", "[{\"Data\":[{}]}]",
                                            "[{\"Data\":[{\"ArrayValue\":[]}]}]", "[{}]",
                                            "[{\"Data\":[{\"ScalarValue\":\"1\"},{\"ScalarValue\":\"2\"}]}]"};
    for (size_t i = 0; i < MR_ARRAY_LEN(rows_json); i++) {
        struct fake f;
        struct mr_fault fault = MR_FAULT_INIT;
        struct mr_rows *rows;
        char body[512];
        fake_init(&f);
        snprintf(body, sizeof body, "{\"ColumnInfo\":[" SCALAR("BIGINT") "],\"Rows\":%s}", rows_json[i]);
        fake_answer(&f, 0, 200, body);
        struct mr_client *c = fake_open(&f, NULL);
        struct mr_query_request request = {.query_string = mr_text("x")};
        assert_int_equal(mr_rows_open(c, &request, &rows, &fault), 0);
        assert_int_equal(mr_rows_next(rows, &fault), MR_ERR_ANSWER);
        assert_int_equal(fault.error, MR_ERR_ANSWER);
        mr_rows_close(rows);
        mr_client_close(c);
        mr_fault_clear(&fault);
    }
}

static void test_numbers_as_text(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "-0"},
                 {21.5, "21.5"},
                 {0.1, "0.1"},
                 {-0.05, "-0.05"},
                 {1e6, "1000000"},
                 {0.30000000000000004, "0.30000000000000004"},
                 {1e22, "1e+22"},
                 {1e-7, "1e-07"},
                 {100, "100"},
                 {12345.678901, "12345.678901"},
                 {0.001, "0.001"},
                 {9007199254740993.0, "9007199254740992"}};
    char buffer[MR_NUMBER_TEXT];
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++)
        assert_string_equal(mr_text_of_double(cases[i].v, buffer).ptr, cases[i].text);
    assert_null(mr_text_of_double((double)NAN, buffer).ptr);
    assert_null(mr_text_of_double(-HUGE_VAL, buffer).ptr);
    assert_string_equal(mr_text_of_int(INT64_MIN, buffer).ptr, "-9223372036854775808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_paginates),
        cmocka_unit_test(test_waiters),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_a_token_that_goes_in_circles),
        cmocka_unit_test(test_rows_of_every_type),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_rows_that_do_not_fit),
        cmocka_unit_test(test_numbers_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
