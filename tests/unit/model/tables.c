#include "lib/check.h"

#include <stdio.h>

#include "model/table.h"

static void operations_are_counted(void **state)
{
    MR_UNUSED(state);
    int write = 0, query = 0, both = 0;
    for (int op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++) {
        const struct model_operation *o = model_operation((enum model_op)op);
        assert_int_equal(o->op, op);
        write += (o->api & MODEL_API_WRITE) != 0;
        query += (o->api & MODEL_API_QUERY) != 0;
        both += o->api == MODEL_API_BOTH;
    }
    assert_int_equal(write, 19);
    assert_int_equal(query, 15);
    assert_int_equal(both, 4);
    assert_int_equal(MODEL_OP_COUNT - 1, 19 + 15 - 4);
}

static void operations_are_found_by_exact_target(void **state)
{
    MR_UNUSED(state);
    for (int op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++) {
        const struct model_operation *o = model_operation((enum model_op)op);
        char target[80];
        snprintf(target, sizeof target, "Timestream_20181101.%s", o->name.ptr);
        assert_ptr_equal(model_operation_find(mr_str_of(target)), o);
        target[0] = 't';
        assert_null(model_operation_find(mr_str_of(target)));
    }
    static const char *const wrong[] = {
        "",
        "Query",
        "Timestream_20181101",
        "Timestream_20181101.",
        "Timestream_20181101.query",
        "Timestream_20181101.Query ",
        "Timestream_20181101.QueryX",
        "Timestream_20181101.Quer",
        "Timestream_20181102.Query",
        "Timestream_20181101.None",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(wrong); i++)
        assert_null(model_operation_find(mr_str_of(wrong[i])));
    assert_null(model_operation_find(MR_STR_NULL));
}

static void requests_and_answers_belong_to_their_operation(void **state)
{
    MR_UNUSED(state);
    for (int op = MODEL_OP_NONE + 1; op < MODEL_OP_COUNT; op++) {
        const struct model_operation *o = model_operation((enum model_op)op);
        char name[80];
        snprintf(name, sizeof name, "%sRequest", o->name.ptr);
        check_str(o->input->name, name);
        snprintf(name, sizeof name, "%sResponse", o->name.ptr);
        if (o->output != &model_shape_none)
            check_str(o->output->name, name);
        assert_int_equal(o->input->api & o->api, o->api);
        assert_true(o->errors & 1u << MODEL_THROTTLING);
    }
    assert_true(model_operation(MODEL_OP_WRITE_RECORDS)->errors & 1u << MODEL_REJECTED_RECORDS);
    assert_false(model_operation(MODEL_OP_DESCRIBE_ENDPOINTS)->errors & 1u << MODEL_ACCESS_DENIED);
    assert_ptr_equal(model_operation(MODEL_OP_DELETE_TABLE)->output, &model_shape_none);
}

static void members_are_found_by_exact_name(void **state)
{
    MR_UNUSED(state);
    for (size_t s = 0; s < model_shape_count; s++) {
        const struct model_index *index = model_shapes[s]->index;
        for (uint32_t i = 0; i < index->count; i++) {
            const struct model_member *m = &index->members[i];
            assert_ptr_equal(model_member_find(index, m->name), m);
            const struct model_member *shorter =
                model_member_find(index, mr_str_slice(m->name, 0, m->name.len - 1));
            assert_true(shorter == NULL ||
                        shorter->name.len == m->name.len - 1); /* MeasureValues, MeasureValue */
            for (size_t at = 0; at < m->name.len; at++) {
                char other[80];
                memcpy(other, m->name.ptr, m->name.len);
                other[at] ^= 1;
                const struct model_member *hit =
                    model_member_find(index, (struct mr_str){other, m->name.len});
                assert_true(hit == NULL || mr_str_eq(hit->name, (struct mr_str){other, m->name.len}));
            }
        }
        assert_null(model_member_find(index, MR_STR("")));
        assert_null(model_member_find(index, MR_STR("NoSuchMember")));
    }
}

static void words_and_values(void **state)
{
    MR_UNUSED(state);
    check_str(model_enum_word(&model_enum_measure_value_type, MODEL_MEASURE_VALUE_TYPE_DOUBLE), "DOUBLE");
    check_str(model_enum_word(&model_enum_scalar_type, MODEL_SCALAR_TYPE_INTERVAL_YEAR_TO_MONTH),
              "INTERVAL_YEAR_TO_MONTH");
    assert_null(model_enum_word(&model_enum_time_unit, 0).ptr);
    assert_null(model_enum_word(&model_enum_time_unit, -1).ptr);
    assert_null(model_enum_word(&model_enum_time_unit, 5).ptr);
    assert_int_equal(model_enum_find(&model_enum_time_unit, MR_STR("NANOSECONDS")),
                     MODEL_TIME_UNIT_NANOSECONDS);
    assert_int_equal(model_enum_find(&model_enum_time_unit, MR_STR("nanoseconds")), 0);
    assert_int_equal(model_enum_find(&model_enum_time_unit, MR_STR("")), 0);
}

static void patterns(void **state)
{
    MR_UNUSED(state);
    static const struct {
        enum model_pattern pattern;
        const char *text;
        bool matches;
    } rows[] = {
        {MODEL_PATTERN_NONE, "any thing", true},
        {MODEL_PATTERN_RESOURCE_NAME, "a.B-9_", true},
        {MODEL_PATTERN_RESOURCE_NAME, ".", true},
        {MODEL_PATTERN_RESOURCE_NAME, "", false},
        {MODEL_PATTERN_RESOURCE_NAME, "a b", false},
        {MODEL_PATTERN_RESOURCE_NAME, "a/b", false},
        {MODEL_PATTERN_RESOURCE_NAME, "abc\n", false},
        {MODEL_PATTERN_RESOURCE_NAME, "\xc3\xa9t\xc3\xa9", false},
        {MODEL_PATTERN_S3_BUCKET, "a-b.c", true},
        {MODEL_PATTERN_S3_BUCKET, "a.9", true},
        {MODEL_PATTERN_S3_BUCKET, "ab", false},
        {MODEL_PATTERN_S3_BUCKET, "-ab", false},
        {MODEL_PATTERN_S3_BUCKET, "ab-", false},
        {MODEL_PATTERN_S3_BUCKET, "aBc", false},
        {MODEL_PATTERN_S3_KEY, "|x", true},
        {MODEL_PATTERN_S3_KEY, "x|", false},
        {MODEL_PATTERN_S3_KEY, "a", false},
        {MODEL_PATTERN_S3_KEY, "/a", false},
        {MODEL_PATTERN_S3_KEY, ".a", false},
        {MODEL_PATTERN_S3_KEY, "a/b.c!-_*'()/", true},
        {MODEL_PATTERN_S3_KEY, "a b", false},
        {MODEL_PATTERN_TASK_ID, "9A", true},
        {MODEL_PATTERN_TASK_ID, "9a", false},
        {MODEL_PATTERN_TASK_ID, "9aA", false},
        {MODEL_PATTERN_QUERY_ID, "aZ9", true},
        {MODEL_PATTERN_QUERY_ID, "a-9", false},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++)
        if (model_pattern_matches(rows[i].pattern, mr_str_of(rows[i].text)) != rows[i].matches)
            fail_msg("row %zu: %s", i, rows[i].text);
    char longest[64];
    memset(longest, 'a', sizeof longest);
    assert_true(model_pattern_matches(MODEL_PATTERN_S3_BUCKET, (struct mr_str){longest, 63}));
    assert_false(model_pattern_matches(MODEL_PATTERN_S3_BUCKET, (struct mr_str){longest, 64}));
}

/* The page in docs is the one that the tables print: `mr_api_reference > docs/api.md` after a change. */
static void the_reference_page_is_current(void **state)
{
    MR_UNUSED(state);
    struct mr_buf page = MR_BUF_INIT, committed = MR_BUF_INIT;
    model_reference_markdown(&page);
    FILE *file = fopen(MODEL_REFERENCE_PAGE, "r");
    assert_non_null(file);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;)
        mr_buf_add(&committed, part, n);
    fclose(file);
    assert_true(mr_buf_ok(&page) && mr_buf_ok(&committed));
    if (!mr_str_eq(mr_buf_view(&page), mr_buf_view(&committed)))
        fail_msg("docs/api.md is stale: run mr_api_reference > docs/api.md");
    mr_buf_release(&page);
    mr_buf_release(&committed);
}

static void fault_bodies(void **state)
{
    MR_UNUSED(state);
    struct mr_buf body = MR_BUF_INIT;
    model_fault_body(&(struct model_fault){.error = MODEL_UNKNOWN_OPERATION}, &body);
    check_str(mr_buf_view(&body), "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\"}");
    assert_int_equal(body.len, 63);
    mr_buf_release(&body);
    model_fault_body(&(struct model_fault){.error = MODEL_VALIDATION, .message = MR_STR("say \"no\"\n")},
                     &body);
    check_str(mr_buf_view(&body), "{\"__type\":\"com.amazonaws.timestream.v20181101#ValidationException\","
                                  "\"message\":\"say \\\"no\\\"\\n\"}");
    mr_buf_release(&body);

    struct model_rejected_record rejected = {.record_index = {true, 3}, .reason = MR_STR("too old")};
    struct model_rejected_records extra = {.rejected_records = {&rejected, 1, true}};
    struct mr_buf members = MR_BUF_INIT;
    model_encode_members(&model_shape_rejected_records, &extra, &members);
    struct model_fault fault = {MODEL_REJECTED_RECORDS, MR_STR("See them."), mr_buf_view(&members)};
    model_fault_body(&fault, &body);
    check_str(mr_buf_view(&body),
              "{\"__type\":\"com.amazonaws.timestream.v20181101#RejectedRecordsException\","
              "\"RejectedRecords\":[{\"RecordIndex\":3,\"Reason\":\"too old\"}],\"message\":\"See them.\"}");
    mr_buf_release(&members);
    mr_buf_release(&body);
}

static void the_fault_table(void **state)
{
    MR_UNUSED(state);
    for (unsigned e = 0; e < MODEL_ERROR_COUNT; e++)
        assert_int_equal(model_error_info((enum model_error)e)->error, e);
    assert_int_equal(model_error_info(MODEL_QUOTA)->status, 402);
    assert_int_equal(model_error_info(MODEL_REJECTED_RECORDS)->status, 419);
    assert_int_equal(model_error_info(MODEL_CONSTRAINT)->status, 400);
    assert_string_equal(model_error_info(MODEL_CONSTRAINT)->namespace_, "com.amazon.coral.validate");
    assert_int_equal(model_error_by_name("InvalidSignatureException"), MODEL_INVALID_SIGNATURE);
    assert_int_equal(model_error_by_name("MissingAuthenticationTokenException"), MODEL_MISSING_TOKEN);
    assert_int_equal(model_error_by_name("ConflictException"), MODEL_INTERNAL); /* not the front door's */
    assert_int_equal(model_error_by_name(""), MODEL_INTERNAL);
}

static void the_first_fault_stays(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    struct model_fault fault = {0};
    assert_int_equal(model_fail(&fault, MODEL_NOT_FOUND, &arena, "no %s", "table"), MR_EINVAL);
    assert_int_equal(model_fail(&fault, MODEL_CONFLICT, &arena, "later"), MR_EINVAL);
    assert_int_equal(fault.error, MODEL_NOT_FOUND);
    check_str(fault.message, "no table");
    mr_arena_release(&arena);

    struct mr_arena small = {.limit = 1};
    fault = (struct model_fault){0};
    assert_int_equal(model_fail(&fault, MODEL_CONFLICT, &small, "no room for this"), MR_EINVAL);
    assert_int_equal(fault.error, MODEL_CONFLICT);
    assert_null(fault.message.ptr);
    mr_arena_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_counted),
        cmocka_unit_test(operations_are_found_by_exact_target),
        cmocka_unit_test(requests_and_answers_belong_to_their_operation),
        cmocka_unit_test(members_are_found_by_exact_name),
        cmocka_unit_test(words_and_values),
        cmocka_unit_test(patterns),
        cmocka_unit_test(the_reference_page_is_current),
        cmocka_unit_test(fault_bodies),
        cmocka_unit_test(the_fault_table),
        cmocka_unit_test(the_first_fault_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
