#include "lib/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/fault.h"
#include "sample.h"

struct fixture {
    struct mr_arena arena;
    struct model_fault fault;
};

static int decode(struct fixture *f, const struct model_shape *shape, struct mr_str body, void **out)
{
    f->fault = (struct model_fault){0};
    return model_decode(shape, body, &f->arena, out, &f->fault);
}

static void *decoded(struct fixture *f, const struct model_shape *shape, const char *body)
{
    void *out;
    if (decode(f, shape, mr_str_of(body), &out) != MR_OK)
        fail_msg(MR_STR_FMT ": %.200s", MR_STR_ARG(f->fault.message), body);
    return out;
}

/* The request is no request: MODEL_SERIALIZATION, with the text or (NULL) without. */
static void no_request(struct fixture *f, const struct model_shape *shape, struct mr_str body,
                       const char *text)
{
    void *out = f;
    int rc = decode(f, shape, body, &out);
    if (rc != MR_EINVAL || f->fault.error != MODEL_SERIALIZATION)
        fail_msg("%d, error %d: %.200s", rc, (int)f->fault.error, body.ptr);
    assert_null(out);
    if (text == NULL)
        assert_null(f->fault.message.ptr);
    else
        check_str(f->fault.message, text);
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.arena = MR_ARENA_INIT};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mr_arena_release(&f->arena);
    return 0;
}

/* Every shape of both APIs with every member: decodes, is valid, and encodes to the same bytes. */
static void every_shape_makes_the_round_trip(void **state)
{
    struct fixture *f = *state;
    for (size_t s = 0; s < model_shape_count; s++) {
        struct mr_buf body = MR_BUF_INIT, again = MR_BUF_INIT;
        sample_object(&body, model_shapes[s], 4);
        mr_buf_char(&body, '\0');
        void *value = decoded(f, model_shapes[s], body.ptr);
        model_encode(model_shapes[s], value, &again);
        check_str(mr_buf_view(&again), body.ptr);
        void *answer;
        f->fault = (struct model_fault){0};
        assert_int_equal(
            model_decode_response(model_shapes[s], mr_buf_view(&again), &f->arena, &answer, &f->fault),
            MR_OK);
        again.len = 0;
        model_encode(model_shapes[s], answer, &again);
        check_str(mr_buf_view(&again), body.ptr);
        mr_buf_release(&body);
        mr_buf_release(&again);
        mr_arena_reset(&f->arena);
    }
}

static void nothing_is_an_empty_object(void **state)
{
    struct fixture *f = *state;
    struct model_list_databases_request *in = decoded(f, &model_shape_list_databases_request, "");
    assert_null(in->next_token.ptr);
    assert_false(in->max_results.set);
    decoded(f, &model_shape_describe_endpoints_request, "{}");
    decoded(f, &model_shape_describe_endpoints_request, " {\n} ");
    struct mr_buf out = MR_BUF_INIT;
    model_encode(&model_shape_none, NULL, &out);
    check_str(mr_buf_view(&out), "{}");
    mr_buf_release(&out);
}

static void records_as_the_clients_send_them(void **state)
{
    struct fixture *f = *state;
    struct model_write_records_request *in =
        decoded(f, &model_shape_write_records_request,
                "{\"Records\":[{\"Version\":9007199254740993,\"Time\":\"1690000000123\",\"MeasureValueType\":"
                "\"BIGINT\","
                "\"MeasureValue\":\"61\",\"MeasureName\":\"parts\"},{},{\"MeasureValues\":[{\"Type\":"
                "\"DOUBLE\",\"Name\":\"oil\","
                "\"Value\":\"2.5\"}],\"MeasureValueType\":\"MULTI\",\"TimeUnit\":\"NANOSECONDS\"}],"
                "\"TableName\":\"machines\","
                "\"DatabaseName\":\"plant\",\"CommonAttributes\":{\"Dimensions\":[{\"Name\":\"hall\","
                "\"Value\":\"n\\u00f6rdlich\","
                "\"DimensionValueType\":\"VARCHAR\"},{\"Name\":\"press\",\"Value\":\"\"}]}}");
    check_str(in->database_name, "plant");
    check_str(in->table_name, "machines");
    assert_int_equal(in->common_attributes->dimensions.len, 2);
    check_str(in->common_attributes->dimensions.at[0].value, "n\xc3\xb6rdlich");
    assert_int_equal(in->common_attributes->dimensions.at[0].dimension_value_type,
                     MODEL_DIMENSION_VALUE_TYPE_VARCHAR);
    check_str(in->common_attributes->dimensions.at[1].value, "");
    assert_non_null(in->common_attributes->dimensions.at[1].value.ptr);
    assert_int_equal(in->records.len, 3);
    const struct model_record *first = &in->records.at[0], *last = &in->records.at[2];
    assert_true(first->version.set && first->version.v == 9007199254740993);
    assert_int_equal(first->measure_value_type, MODEL_MEASURE_VALUE_TYPE_BIGINT);
    assert_int_equal(first->time_unit, MODEL_TIME_UNIT_ABSENT);
    assert_false(first->dimensions.set);
    assert_null(in->records.at[1].measure_name.ptr);
    assert_int_equal(last->measure_value_type, MODEL_MEASURE_VALUE_TYPE_MULTI);
    assert_int_equal(last->time_unit, MODEL_TIME_UNIT_NANOSECONDS);
    check_str(last->measure_values.at[0].name, "oil");
    assert_int_equal(last->measure_values.at[0].type, MODEL_MEASURE_VALUE_TYPE_DOUBLE);
}

static void recursive_shapes(void **state)
{
    struct fixture *f = *state;
    static const char body[] = "{\"QueryId\":\"AEX\",\"Rows\":[{\"Data\":[{\"TimeSeriesValue\":[{\"Time\":"
                               "\"2023-03-09 06:40:00.000000000\","
                               "\"Value\":{\"ScalarValue\":\"7.25\"}}]},{\"ArrayValue\":[{\"RowValue\":{"
                               "\"Data\":[{\"NullValue\":true}]}}]},"
                               "{\"ArrayValue\":[]}]}],\"ColumnInfo\":[{\"Name\":\"gusts\",\"Type\":{"
                               "\"TimeSeriesMeasureValueColumnInfo\":"
                               "{\"Type\":{\"ScalarType\":\"DOUBLE\"}}}},{\"Name\":\"rows\",\"Type\":{"
                               "\"ArrayColumnInfo\":{\"Type\":{"
                               "\"RowColumnInfo\":[{\"Type\":{\"ScalarType\":\"DATE\"}}]}}}}],"
                               "\"QueryStatus\":{\"ProgressPercentage\":100.0,"
                               "\"CumulativeBytesScanned\":0,\"CumulativeBytesMetered\":10000000}}";
    struct model_query_response *out = decoded(f, &model_shape_query_response, body);
    const struct model_datum *datum = out->rows.at[0].data.at;
    check_str(datum[0].time_series_value.at[0].value->scalar_value, "7.25");
    assert_true(datum[1].array_value.at[0].row_value->data.at[0].null_value.v);
    assert_true(datum[2].array_value.set && datum[2].array_value.len == 0);
    assert_int_equal(
        out->column_info.at[1].type->array_column_info->type->row_column_info.at[0].type->scalar_type,
        MODEL_SCALAR_TYPE_DATE);
    struct mr_buf again = MR_BUF_INIT;
    model_encode(&model_shape_query_response, out, &again);
    check_str(mr_buf_view(&again), body);
    mr_buf_release(&again);
}

static void unknown_members_are_ignored_at_every_depth(void **state)
{
    struct fixture *f = *state;
    struct model_create_table_request *in =
        decoded(f, &model_shape_create_table_request,
                "{\"x\":{\"DatabaseName\":5},\"DatabaseName\":\"plant\",\"databaseName\":7,\"TableName\":"
                "\"machines\",\"\":0,"
                "\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\",\"Colour\":[[{}]]}],\"Schema\":{\"Other\":null,"
                "\"CompositePartitionKey\":["
                "{\"Type\":\"MEASURE\",\"type\":false}]}}");
    check_str(in->database_name, "plant");
    check_str(in->tags.at[0].value, "v");
    assert_int_equal(in->schema->composite_partition_key.at[0].type, MODEL_PARTITION_KEY_TYPE_MEASURE);
}

/* Each object in another order than the one before, with strangers between, and a shape without members. */
static void members_come_in_any_order(void **state)
{
    struct fixture *f = *state;
    struct model_write_records_request *in = decoded(
        f, &model_shape_write_records_request,
        "{\"Records\":[{\"Time\":\"1\",\"MeasureName\":\"a\",\"MeasureValue\":\"11\"},"
        "{\"MeasureName\":\"b\",\"Time\":\"2\",\"MeasureValue\":\"22\"},"
        "{\"x\":\"3\",\"MeasureName\":\"c\",\"MeasureValue\":\"33\",\"y\":[{\"Time\":\"9\"}],\"Time\":\"3\"},"
        "{\"MeasureValue\":\"44\",\"MeasureName\":\"d\",\"Time\":\"4\"}],"
        "\"DatabaseName\":\"plant\",\"TableName\":\"machines\"}");
    for (int i = 0; i < 4; i++) {
        const struct model_record *r = &in->records.at[i];
        const char name[] = {(char)('a' + i), 0}, time[] = {(char)('1' + i), 0},
                   value[] = {(char)('1' + i), (char)('1' + i), 0};
        check_str(r->measure_name, name);
        check_str(r->time, time);
        check_str(r->measure_value, value);
    }
    check_str(in->table_name, "machines");
    decoded(f, &model_shape_describe_endpoints_request, "{\"Name\":\"x\",\"Endpoints\":1}");
}

static void null_is_absent(void **state)
{
    struct fixture *f = *state;
    struct model_update_table_request *in = decoded(
        f, &model_shape_update_table_request,
        "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"RetentionProperties\":null,\"Schema\":null,"
        "\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true,"
        "\"MagneticStoreRejectedDataLocation\":null}}");
    assert_null(in->retention_properties);
    assert_null(in->schema);
    assert_null(in->magnetic_store_write_properties->magnetic_store_rejected_data_location);
    void *out;
    assert_int_equal(
        decode(f, &model_shape_describe_database_request, MR_STR("{\"DatabaseName\":null}"), &out),
        MR_EINVAL);
    assert_int_equal(f->fault.error, MODEL_CONSTRAINT);
}

static void of_equal_names_the_last_counts(void **state)
{
    struct fixture *f = *state;
    struct model_list_tables_request *in =
        decoded(f, &model_shape_list_tables_request,
                "{\"DatabaseName\":\"no\",\"MaxResults\":99,\"DatabaseName\":\"plant\",\"MaxResults\":7,"
                "\"NextToken\":\"a\",\"NextToken\":null}");
    check_str(in->database_name, "plant");
    assert_int_equal(in->max_results.v, 7);
    assert_null(in->next_token.ptr);
    struct model_create_database_request *tags =
        decoded(f, &model_shape_create_database_request,
                "{\"DatabaseName\":\"plant\",\"Tags\":[null,{}],\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}");
    assert_int_equal(tags->tags.len, 1);
    void *out; /* and an absent one is missed, though it has been there */
    assert_int_equal(decode(f, &model_shape_describe_database_request,
                            MR_STR("{\"DatabaseName\":\"plant\",\"DatabaseName\":null}"), &out),
                     MR_EINVAL);
}

static void what_is_no_object_has_no_message(void **state)
{
    struct fixture *f = *state;
    const struct model_shape *shape = &model_shape_list_databases_request;
    static const char *const bodies[] = {
        " ",
        "nope",
        "[]",
        "\"{}\"",
        "5",
        "null",
        "true",
        "{",
        "{\"MaxResults\":1",
        "{} {}",
        "{}x",
        "{\"a\":1,}",
        "{\"NextToken\":\"\\ud800\"}",
        "{\"Unknown\":\"\\udfff\"}",
        "{\"NextToken\":\"\xff\"}",
        "{\"NextToken\":\"\xed\xb0\x80\"}",
        "{\"MaxResults\":123456789012345678901234567890}",
        "{\"MaxResults\":1e999}",
        "{\"MaxResults\":0x10}",
        "{\"MaxResults\":+1}",
        "{'MaxResults':1}",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bodies); i++)
        no_request(f, shape, mr_str_of(bodies[i]), NULL);
    struct mr_buf deep = MR_BUF_INIT;
    for (int i = 0; i < 100; i++)
        mr_buf_printf(&deep, "{\"a\":");
    mr_buf_printf(&deep, "0");
    for (int i = 0; i < 100; i++)
        mr_buf_char(&deep, '}');
    no_request(f, shape, mr_buf_view(&deep), NULL);
    mr_buf_release(&deep);
}

static void wrong_types_are_told(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const struct model_shape *shape;
        const char *body, *text;
    } rows[] = {
        {&model_shape_describe_database_request, "{\"DatabaseName\":5}",
         "NUMBER_VALUE can not be converted to String"},
        {&model_shape_describe_database_request, "{\"DatabaseName\":2.5}",
         "NUMBER_VALUE can not be converted to String"},
        {&model_shape_describe_database_request, "{\"DatabaseName\":true}",
         "TRUE_VALUE can not be converted to String"},
        {&model_shape_describe_database_request, "{\"DatabaseName\":false}",
         "FALSE_VALUE can not be converted to String"},
        {&model_shape_describe_database_request, "{\"DatabaseName\":[]}",
         "Start of list found where not expected"},
        {&model_shape_describe_database_request, "{\"DatabaseName\":{}}",
         "Start of structure or map found where not expected."},
        {&model_shape_list_databases_request, "{\"MaxResults\":\"5\"}",
         "STRING_VALUE can not be converted to Integer"},
        {&model_shape_list_databases_request, "{\"MaxResults\":5.0}",
         "NUMBER_VALUE can not be converted to Integer"},
        {&model_shape_list_databases_request, "{\"MaxResults\":1e1}",
         "NUMBER_VALUE can not be converted to Integer"},
        {&model_shape_list_databases_request, "{\"MaxResults\":2147483648}",
         "NUMBER_VALUE can not be converted to Integer"},
        {&model_shape_retention_properties, "{\"MemoryStoreRetentionPeriodInHours\":9223372036854775808}",
         "NUMBER_VALUE can not be converted to Long"},
        {&model_shape_retention_properties, "{\"MemoryStoreRetentionPeriodInHours\":\"6\"}",
         "STRING_VALUE can not be converted to Long"},
        {&model_shape_prepare_query_request, "{\"ValidateOnly\":\"true\"}",
         "STRING_VALUE can not be converted to Boolean"},
        {&model_shape_prepare_query_request, "{\"ValidateOnly\":1}",
         "NUMBER_VALUE can not be converted to Boolean"},
        {&model_shape_execute_scheduled_query_request, "{\"InvocationTime\":\"2023-01-01\"}",
         "STRING_VALUE can not be converted to Timestamp"},
        {&model_shape_query_status, "{\"ProgressPercentage\":\"1\"}",
         "STRING_VALUE can not be converted to Double"},
        {&model_shape_record, "{\"TimeUnit\":3}", "NUMBER_VALUE can not be converted to String"},
        {&model_shape_write_records_request, "{\"Records\":{}}",
         "Start of structure or map found where not expected."},
        {&model_shape_write_records_request, "{\"Records\":\"x\"}", "Expected list or null"},
        {&model_shape_write_records_request, "{\"Records\":[[]]}", "Start of list found where not expected"},
        {&model_shape_write_records_request, "{\"Records\":[7]}", "Expected null"},
        {&model_shape_write_records_request, "{\"CommonAttributes\":\"x\"}", "Expected null"},
        {&model_shape_write_records_request, "{\"CommonAttributes\":[]}",
         "Start of list found where not expected"},
        {&model_shape_untag_resource_request, "{\"TagKeys\":[5]}",
         "NUMBER_VALUE can not be converted to String"},
        {&model_shape_untag_resource_request, "{\"TagKeys\":\"k\"}", "Expected list or null"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++)
        no_request(f, rows[i].shape, mr_str_of(rows[i].body), rows[i].text);
}

static void integers_are_exact_at_the_borders(void **state)
{
    struct fixture *f = *state;
    struct model_rejected_record *r =
        decoded(f, &model_shape_rejected_record,
                "{\"ExistingVersion\":-9223372036854775808,\"RecordIndex\":-2147483648}");
    assert_true(r->existing_version.v == INT64_MIN && r->record_index.v == INT32_MIN);
    r = decoded(f, &model_shape_rejected_record,
                "{\"ExistingVersion\":9223372036854775807,\"RecordIndex\":2147483647}");
    assert_true(r->existing_version.v == INT64_MAX && r->record_index.v == INT32_MAX);
    struct mr_buf out = MR_BUF_INIT;
    model_encode(&model_shape_rejected_record, r, &out);
    check_str(mr_buf_view(&out), "{\"RecordIndex\":2147483647,\"ExistingVersion\":9223372036854775807}");
    mr_buf_release(&out);
}

static void times_have_milliseconds_without_noise(void **state)
{
    MR_UNUSED(state);
    static const struct {
        double v;
        const char *want;
    } rows[] = {
        {1690000000.266, "1690000000.266"},
        {1690000000.2659999, "1690000000.266"},
        {1690000000, "1690000000"},
        {1690000000.5, "1690000000.5"},
        {1690000000.07, "1690000000.07"},
        {0, "0"},
        {-1.5, "-1.5"},
        {-0.001, "-0.001"},
        {0.0004, "0"},
        {4102444799.999, "4102444799.999"},
        {1e300, "1e+300"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct model_database value = {.creation_time = {true, rows[i].v}};
        struct mr_buf out = MR_BUF_INIT;
        char want[64];
        snprintf(want, sizeof want, "{\"CreationTime\":%s}", rows[i].want);
        model_encode(&model_shape_database, &value, &out);
        check_str(mr_buf_view(&out), want);
        mr_buf_release(&out);
    }
}

static void empty_lists_are_written_and_absent_ones_not(void **state)
{
    MR_UNUSED(state);
    struct model_list_tables_response value = {.tables = {NULL, 0, true}};
    struct mr_buf out = MR_BUF_INIT;
    model_encode(&model_shape_list_tables_response, &value, &out);
    check_str(mr_buf_view(&out), "{\"Tables\":[]}");
    out.len = 0;
    value.tables.set = false;
    value.next_token = MR_STR("t");
    model_encode(&model_shape_list_tables_response, &value, &out);
    check_str(mr_buf_view(&out), "{\"NextToken\":\"t\"}");
    mr_buf_release(&out);
}

static void answers_are_not_judged(void **state)
{
    struct fixture *f = *state;
    void *out;
    f->fault = (struct model_fault){0};
    assert_int_equal(
        model_decode_response(&model_shape_describe_table_response,
                              MR_STR("{\"Table\":{\"TableName\":\"x\",\"TableStatus\":\"HIBERNATING\"}}"),
                              &f->arena, &out, &f->fault),
        MR_OK);
    const struct model_table *table = ((struct model_describe_table_response *)out)->table;
    check_str(table->table_name, "x");
    assert_int_equal(table->table_status, MODEL_TABLE_STATUS_ABSENT);
}

static void query_strings(void **state)
{
    struct fixture *f = *state;
    void *out;
    f->fault = (struct model_fault){0};
    assert_int_equal(
        model_decode_query(&model_shape_list_tables_request,
                           MR_STR("MaxResults=5&X-Amz-Date=x&x-amz-Other=%zz0&DatabaseName=pl%61nt&Other=1&&"
                                  "NextToken=a%26b+c%C3%A9"),
                           &f->arena, &out, &f->fault),
        MR_EINVAL); /* %zz is broken wherever it stands */
    assert_int_equal(f->fault.error, MODEL_SERIALIZATION);
    f->fault = (struct model_fault){0};
    assert_int_equal(
        model_decode_query(&model_shape_list_tables_request,
                           MR_STR("MaxResults=5&X-Amz-Date=x&x-amz-Other=1&DatabaseName=pl%61nt&Other=1&&"
                                  "NextToken=a%26b+c%C3%A9"),
                           &f->arena, &out, &f->fault),
        MR_OK);
    const struct model_list_tables_request *in = out;
    assert_int_equal(in->max_results.v, 5);
    check_str(in->database_name, "plant");
    check_str(in->next_token, "a&b c\xc3\xa9");

    assert_int_equal(model_decode_query(&model_shape_prepare_query_request,
                                        MR_STR("QueryString=SELECT%201&ValidateOnly=True"), &f->arena, &out,
                                        &f->fault),
                     MR_OK);
    assert_true(((struct model_prepare_query_request *)out)->validate_only.v);
    assert_int_equal(
        model_decode_query(&model_shape_list_databases_request, MR_STR(""), &f->arena, &out, &f->fault),
        MR_OK);

    static const struct {
        const char *query;
        enum model_error error;
    } bad[] = {
        {"MaxResults=five&DatabaseName=plant", MODEL_SERIALIZATION},
        {"MaxResults=99&DatabaseName=plant", MODEL_CONSTRAINT},
        {"DatabaseName=p", MODEL_CONSTRAINT},
        {"DatabaseName", MODEL_CONSTRAINT},
        {"DatabaseName=%", MODEL_SERIALIZATION},
        {"DatabaseName=%4", MODEL_SERIALIZATION},
        {"NextToken=%ff", MODEL_SERIALIZATION},
        {"MaxResults=", MODEL_SERIALIZATION},
        {"MaxResults=4294967301", MODEL_SERIALIZATION},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        f->fault = (struct model_fault){0};
        assert_int_equal(model_decode_query(&model_shape_list_tables_request, mr_str_of(bad[i].query),
                                            &f->arena, &out, &f->fault),
                         MR_EINVAL);
        assert_int_equal(f->fault.error, bad[i].error);
        assert_null(out);
    }
    f->fault = (struct model_fault){0};
    assert_int_equal(model_decode_query(&model_shape_untag_resource_request, MR_STR("TagKeys=a"), &f->arena,
                                        &out, &f->fault),
                     MR_EINVAL);
    assert_int_equal(f->fault.error, MODEL_SERIALIZATION);
}

/* A good body, a bad one and a query string, with each allocation failing once. */
static void every_allocation_may_fail(void **state)
{
    MR_UNUSED(state);
    struct mr_buf good = MR_BUF_INIT;
    sample_object(&good, &model_shape_create_batch_load_task_request, 4);
    const struct mr_str bad =
        MR_STR("{\"DatabaseName\":\"\",\"Records\":[null,{\"TimeUnit\":\"WEEKS\",\"Version\":0}]}");
    for (int which = 0; which < 3; which++)
        for (unsigned n = 1;; n++) {
            struct mr_arena arena = MR_ARENA_INIT;
            struct model_fault fault = {0};
            void *out;
            fault_alloc(n);
            int rc = which == 0 ? model_decode(&model_shape_create_batch_load_task_request,
                                               mr_buf_view(&good), &arena, &out, &fault)
                     : which == 1
                         ? model_decode(&model_shape_write_records_request, bad, &arena, &out, &fault)
                         : model_decode_query(&model_shape_list_databases_request, MR_STR("MaxResults=7"),
                                              &arena, &out, &fault);
            bool fired = fault_alloc_fired();
            fault_alloc(0);
            if (rc != MR_ENOMEM) {
                assert_int_equal(rc, which == 1 ? MR_EINVAL : MR_OK);
                assert_int_equal(fault.error, which == 1 ? MODEL_CONSTRAINT : MODEL_NO_ERROR);
            } else {
                assert_true(fired);
                assert_null(out);
            }
            mr_arena_release(&arena);
            if (!fired)
                break;
        }
    mr_buf_release(&good);
}

static void the_arenas_limit_holds(void **state)
{
    MR_UNUSED(state);
    struct mr_buf body = MR_BUF_INIT;
    mr_buf_printf(
        &body, "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"Records\":[{\"MeasureValues\":[{}");
    for (int i = 0; i < 100000; i++)
        mr_buf_printf(&body, ",{}");
    mr_buf_printf(&body, "]}]}");
    struct mr_arena arena = {.limit = 1 << 20};
    struct model_fault fault = {0};
    void *out;
    assert_int_equal(
        model_decode(&model_shape_write_records_request, mr_buf_view(&body), &arena, &out, &fault),
        MR_ENOMEM);
    assert_true(arena.total <= arena.limit);
    mr_arena_release(&arena);
    mr_buf_release(&body);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_shape_makes_the_round_trip),
        TEST(nothing_is_an_empty_object),
        TEST(records_as_the_clients_send_them),
        TEST(recursive_shapes),
        TEST(unknown_members_are_ignored_at_every_depth),
        TEST(members_come_in_any_order),
        TEST(null_is_absent),
        TEST(of_equal_names_the_last_counts),
        TEST(what_is_no_object_has_no_message),
        TEST(wrong_types_are_told),
        TEST(integers_are_exact_at_the_borders),
        TEST(times_have_milliseconds_without_noise),
        TEST(empty_lists_are_written_and_absent_ones_not),
        TEST(answers_are_not_judged),
        TEST(query_strings),
        TEST(every_allocation_may_fail),
        TEST(the_arenas_limit_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
