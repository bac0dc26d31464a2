#include "lib/check.h"

#include <inttypes.h>
#include <stdio.h>

#include "sample.h"

struct fixture {
    struct mr_arena arena;
    struct model_fault fault;
};

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

static void broken_str(struct fixture *f, const struct model_shape *shape, struct mr_str body,
                       const char *text)
{
    void *out = f;
    f->fault = (struct model_fault){0};
    int rc = model_decode(shape, body, &f->arena, &out, &f->fault);
    if (rc != MR_EINVAL || f->fault.error != MODEL_CONSTRAINT)
        fail_msg("%d, error %d: %.300s", rc, (int)f->fault.error, body.ptr);
    assert_null(out);
    check_str(f->fault.message, text);
}

static void broken(struct fixture *f, const struct model_shape *shape, const char *body, const char *text)
{
    broken_str(f, shape, mr_str_of(body), text);
}

static void fine(struct fixture *f, const struct model_shape *shape, const char *body)
{
    void *out;
    f->fault = (struct model_fault){0};
    if (model_decode(shape, mr_str_of(body), &f->arena, &out, &f->fault) != MR_OK)
        fail_msg(MR_STR_FMT, MR_STR_ARG(f->fault.message));
}

#define ONE "1 validation error detected: "
#define WRONG "' failed to satisfy constraint: "

static void each_rule_in_its_words(void **state)
{
    struct fixture *f = *state;
    broken(f, &model_shape_describe_table_request, "{\"DatabaseName\":\"plant\"}",
           ONE "Value null at 'tableName" WRONG "Member must not be null");
    broken(f, &model_shape_describe_database_request, "{\"DatabaseName\":\"pl\"}",
           ONE "Value 'pl' at 'databaseName" WRONG "Member must have length greater than or equal to 3");
    broken(f, &model_shape_create_batch_load_task_request,
           "{\"ClientToken\":\"12345678901234567890123456789012345678901234567890123456789012345\","
           "\"DataSourceConfiguration\":{\"DataSourceS3Configuration\":{\"BucketName\":\"loads\"},"
           "\"DataFormat\":\"CSV\"},"
           "\"ReportConfiguration\":{},\"TargetDatabaseName\":\"plant\",\"TargetTableName\":\"machines\"}",
           ONE
           "Value '12345678901234567890123456789012345678901234567890123456789012345' at 'clientToken" WRONG
           "Member must have length less than or equal to 64");
    broken(f, &model_shape_list_databases_request, "{\"MaxResults\":0}",
           ONE "Value '0' at 'maxResults" WRONG "Member must have value greater than or equal to 1");
    broken(f, &model_shape_list_databases_request, "{\"MaxResults\":21}",
           ONE "Value '21' at 'maxResults" WRONG "Member must have value less than or equal to 20");
    broken(f, &model_shape_cancel_query_request, "{\"QueryId\":\"A-1\"}",
           ONE "Value 'A-1' at 'queryId" WRONG
               "Member must satisfy regular expression pattern: [a-zA-Z0-9]+");
    broken(f, &model_shape_update_scheduled_query_request,
           "{\"ScheduledQueryArn\":\"arn\",\"State\":\"PAUSED\"}",
           ONE "Value 'PAUSED' at 'state" WRONG "Member must satisfy enum value set: [ENABLED, DISABLED]");
    broken(f, &model_shape_untag_resource_request, "{\"ResourceARN\":\"arn\",\"TagKeys\":[\"team\",\"\"]}",
           ONE "Value '[team, ]' at 'tagKeys" WRONG
               "Member must satisfy constraint: [Member must have length less than or equal to 128, "
               "Member must have length greater than or equal to 1]");
    broken(f, &model_shape_tag_resource_request, "{\"ResourceARN\":\"\",\"Tags\":[]}",
           ONE "Value '' at 'resourceARN" WRONG "Member must have length greater than or equal to 1");
}

static void paths_lead_to_the_member(void **state)
{
    struct fixture *f = *state;
    broken(f, &model_shape_write_records_request,
           "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"Records\":[{},{\"Dimensions\":[{"
           "\"Name\":\"hall\","
           "\"Value\":\"n\"},{\"Name\":\"press\",\"Value\":\"3\",\"DimensionValueType\":\"BIGINT\"}]}]}",
           ONE "Value 'BIGINT' at 'records.2.member.dimensions.2.member.dimensionValueType" WRONG
               "Member must satisfy enum value set: [VARCHAR]");
    broken(
        f, &model_shape_create_table_request,
        "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"MagneticStoreWriteProperties\":{"
        "\"EnableMagneticStoreWrites\":true,\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{"
        "\"BucketName\":\"Reports\"}}}}",
        ONE
        "Value 'Reports' at 'magneticStoreWriteProperties.magneticStoreRejectedDataLocation.s3Configuration."
        "bucketName" WRONG
        "Member must satisfy regular expression pattern: [a-z0-9][\\.\\-a-z0-9]{1,61}[a-z0-9]");
    broken(f, &model_shape_update_database_request, "{\"DatabaseName\":\"plant\",\"KmsKeyId\":\"\"}",
           ONE "Value '' at 'kmsKeyId" WRONG "Member must have length greater than or equal to 1");
    broken(f, &model_shape_update_account_settings_request, "{\"QueryCompute\":{\"ProvisionedCapacity\":{}}}",
           ONE "Value null at 'queryCompute.provisionedCapacity.targetQueryTCU" WRONG
               "Member must not be null");
}

static void all_violations_in_one_text(void **state)
{
    struct fixture *f = *state;
    broken(f, &model_shape_create_table_request,
           "{\"RetentionProperties\":{\"MagneticStoreRetentionPeriodInDays\":0,"
           "\"MemoryStoreRetentionPeriodInHours\":9000},"
           "\"DatabaseName\":\"a!\",\"Tags\":[{\"Key\":\"\"}]}",
           "7 validation errors detected: "
           "Value 'a!' at 'databaseName" WRONG "Member must have length greater than or equal to 3; "
           "Value 'a!' at 'databaseName" WRONG
           "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "
           "Value null at 'tableName" WRONG "Member must not be null; "
           "Value '9000' at 'retentionProperties.memoryStoreRetentionPeriodInHours" WRONG
           "Member must have value less than or equal to 8766; "
           "Value '0' at 'retentionProperties.magneticStoreRetentionPeriodInDays" WRONG
           "Member must have value greater than or equal to 1; "
           "Value '' at 'tags.1.member.key" WRONG "Member must have length greater than or equal to 1; "
           "Value null at 'tags.1.member.value" WRONG "Member must not be null");
}

static void ten_violations_are_listed(void **state)
{
    struct fixture *f = *state;
    struct mr_buf body = MR_BUF_INIT, want = MR_BUF_INIT;
    mr_buf_printf(&body, "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"Records\":[");
    mr_buf_printf(&want, "10 validation errors detected: ");
    for (int i = 0; i < 50; i++) {
        mr_buf_printf(&body, "%s{\"Version\":-%d}", i != 0 ? "," : "", i);
        if (i < 10)
            mr_buf_printf(&want,
                          "%sValue '%d' at 'records.%d.member.version" WRONG
                          "Member must have value greater than or equal to 1",
                          i != 0 ? "; " : "", -i, i + 1);
    }
    mr_buf_printf(&body, "]}");
    mr_buf_char(&want, '\0');
    broken_str(f, &model_shape_write_records_request, mr_buf_view(&body), want.ptr);
    mr_buf_release(&body);
    mr_buf_release(&want);
}

static void lists_have_their_bounds(void **state)
{
    struct fixture *f = *state;
    static const char start[] = "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"Records\":[";
    broken(f, &model_shape_write_records_request,
           "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"Records\":[]}",
           ONE "Value '[]' at 'records" WRONG "Member must have length greater than or equal to 1");
    for (int count = 99; count <= 102; count++) {
        struct mr_buf body = MR_BUF_INIT;
        mr_buf_printf(&body, "%s", start);
        for (int i = 0; i < count; i++)
            mr_buf_printf(&body, "%s{}", i != 0 ? "," : "");
        mr_buf_printf(&body, "]}");
        mr_buf_char(&body, '\0');
        if (count <= 100)
            fine(f, &model_shape_write_records_request, body.ptr);
        else
            broken(f, &model_shape_write_records_request, body.ptr,
                   ONE "Value '[...]' at 'records" WRONG "Member must have length less than or equal to 100");
        mr_buf_release(&body);
    }
    /* What stands beyond the bound is not looked at. */
    struct mr_buf body = MR_BUF_INIT;
    mr_buf_printf(&body, "%s", start);
    for (int i = 0; i < 100; i++)
        mr_buf_printf(&body, "{},");
    mr_buf_printf(&body, "{\"MeasureName\":7}]}");
    broken_str(f, &model_shape_write_records_request, mr_buf_view(&body),
               ONE "Value '[...]' at 'records" WRONG "Member must have length less than or equal to 100");
    mr_buf_release(&body);
}

static void elements_may_not_be_null(void **state)
{
    struct fixture *f = *state;
    broken(f, &model_shape_write_records_request,
           "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"Records\":[{},null,{\"Dimensions\":["
           "null]}]}",
           "2 validation errors detected: Value null at 'records.2.member" WRONG "Member must not be null; "
           "Value null at 'records.3.member.dimensions.1.member" WRONG "Member must not be null");
    broken(f, &model_shape_untag_resource_request, "{\"ResourceARN\":\"arn\",\"TagKeys\":[\"a\",null]}",
           ONE "Value null at 'tagKeys.2.member" WRONG "Member must not be null");
}

/* Strings count characters, names count bytes. */
static void lengths_count_what_they_say(void **state)
{
    struct fixture *f = *state;
    struct mr_buf body = MR_BUF_INIT;
    for (int chars = 127; chars <= 129; chars++) {
        body.len = 0;
        mr_buf_printf(&body, "{\"Key\":\"");
        for (int i = 0; i < chars; i++)
            mr_buf_printf(&body, "\xf0\x9f\x98\x80");
        mr_buf_printf(&body, "\",\"Value\":\"\"}");
        void *out;
        f->fault = (struct model_fault){0};
        int rc = model_decode(&model_shape_tag, mr_buf_view(&body), &f->arena, &out, &f->fault);
        assert_int_equal(rc, chars <= 128 ? MR_OK : MR_EINVAL);
    }
    for (int chars = 29; chars <= 31; chars++) {
        body.len = 0;
        mr_buf_printf(&body, "{\"Name\":\"");
        for (int i = 0; i < chars; i++)
            mr_buf_printf(&body, "\xc3\xa9");
        mr_buf_printf(&body, "\",\"Value\":\"v\"}");
        void *out;
        f->fault = (struct model_fault){0};
        int rc = model_decode(&model_shape_dimension, mr_buf_view(&body), &f->arena, &out, &f->fault);
        assert_int_equal(rc, chars <= 30 ? MR_OK : MR_EINVAL);
    }
    /* 31 characters, though 62 bytes: too short for a client token */
    body.len = 0;
    mr_buf_printf(&body, "{\"QueryString\":\"SELECT 1\",\"ClientToken\":\"");
    for (int i = 0; i < 31; i++)
        mr_buf_printf(&body, "\xc3\xa9");
    mr_buf_printf(&body, "\"}");
    void *out;
    f->fault = (struct model_fault){0};
    assert_int_equal(model_decode(&model_shape_query_request, mr_buf_view(&body), &f->arena, &out, &f->fault),
                     MR_EINVAL);
    assert_int_equal(f->fault.error, MODEL_CONSTRAINT);
    mr_buf_release(&body);
}

static void long_values_are_cut_at_a_character(void **state)
{
    struct fixture *f = *state;
    struct mr_buf body = MR_BUF_INIT, want = MR_BUF_INIT;
    mr_buf_printf(&body, "{\"DatabaseName\":\"xy");
    mr_buf_printf(&want, "2 validation errors detected: ");
    for (int i = 0; i < 200; i++)
        mr_buf_printf(&body, "\xe2\x82\xac");
    mr_buf_printf(&body, "\"}");
    for (int failure = 0; failure < 2; failure++) {
        mr_buf_printf(&want, "%sValue 'xy", failure != 0 ? "; " : "");
        for (int i = 0; i < 84; i++)
            mr_buf_printf(&want, "\xe2\x82\xac");
        mr_buf_printf(&want, "...' at 'databaseName" WRONG "%s",
                      failure == 0 ? "Member must have length less than or equal to 256"
                                   : "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
    }
    mr_buf_char(&want, '\0');
    broken_str(f, &model_shape_describe_database_request, mr_buf_view(&body), want.ptr);
    mr_buf_release(&body);
    mr_buf_release(&want);
}

static void a_value_may_hold_nul(void **state)
{
    struct fixture *f = *state;
    void *out;
    f->fault = (struct model_fault){0};
    assert_int_equal(model_decode(&model_shape_describe_database_request,
                                  MR_STR("{\"DatabaseName\":\"ab\\u0000c\"}"), &f->arena, &out, &f->fault),
                     MR_EINVAL);
    struct mr_str want = MR_STR(ONE "Value 'ab\0c' at 'databaseName" WRONG
                                    "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
    assert_true(mr_str_eq(f->fault.message, want));
}

/* ---- every constraint of every shape ---- */

static bool is_integer(const struct model_member *m)
{
    return m->kind == MODEL_KIND_LONG || m->kind == MODEL_KIND_INTEGER;
}

/* An object with all members valid but one, which has the given text (or is left out when NULL). */
static void object_with(struct mr_buf *out, const struct model_shape *shape, const struct model_member *odd,
                        const char *text)
{
    const char *comma = "";
    mr_buf_char(out, '{');
    for (uint32_t i = 0; i < shape->index->count; i++) {
        const struct model_member *m = &shape->index->members[i];
        if (m == odd && text == NULL)
            continue;
        mr_buf_printf(out, "%s\"%s\":", comma, m->name.ptr);
        if (m == odd)
            mr_buf_printf(out, "%s", text);
        else
            sample_value(out, m, 2);
        comma = ",";
    }
    mr_buf_char(out, '}');
}

static void expect(struct fixture *f, const struct model_shape *shape, const struct model_member *m,
                   const char *text, bool ok)
{
    struct mr_buf body = MR_BUF_INIT;
    void *out;
    object_with(&body, shape, m, text);
    f->fault = (struct model_fault){0};
    int rc = model_decode(shape, mr_buf_view(&body), &f->arena, &out, &f->fault);
    if (rc != (ok ? MR_OK : MR_EINVAL) || (!ok && f->fault.error != MODEL_CONSTRAINT))
        fail_msg("%s.%s = %.80s gave %d: " MR_STR_FMT, shape->name.ptr, m->name.ptr, text, rc,
                 MR_STR_ARG(f->fault.message));
    if (!ok) { /* and it is this member that is named */
        char path[80];
        snprintf(path, sizeof path, "at '%c%s", m->name.ptr[0] | 0x20, m->name.ptr + 1);
        char *message = mr_strndup(f->fault.message.ptr, f->fault.message.len);
        if (strstr(message, path) == NULL)
            fail_msg("%s not in: %s", path, message);
        mr_free(message);
    }
    mr_buf_release(&body);
    mr_arena_reset(&f->arena);
}

static void text_of_length(struct fixture *f, const struct model_shape *shape, const struct model_member *m,
                           int64_t length, bool ok)
{
    struct mr_buf text = MR_BUF_INIT;
    mr_buf_char(&text, '"');
    sample_text(&text, m, (size_t)length);
    mr_buf_printf(&text, "\"");
    mr_buf_char(&text, '\0');
    expect(f, shape, m, text.ptr, ok);
    mr_buf_release(&text);
}

static void try_text(struct fixture *f, const struct model_shape *shape, const struct model_member *m)
{
    if (m->min > 0)
        text_of_length(f, shape, m, m->min - 1, false);
    if (m->max != INT64_MAX) {
        text_of_length(f, shape, m, m->max, true);
        text_of_length(f, shape, m, m->max + 1, false);
    }
    if (m->pattern != MODEL_PATTERN_NONE)
        expect(f, shape, m, "\"with blank\"", false);
}

static void try_integer(struct fixture *f, const struct model_shape *shape, const struct model_member *m)
{
    char text[32];
    if (m->min != INT64_MIN) {
        snprintf(text, sizeof text, "%" PRId64, m->min);
        expect(f, shape, m, text, true);
        snprintf(text, sizeof text, "%" PRId64, m->min - 1);
        expect(f, shape, m, text, false);
    }
    if (m->max != INT64_MAX) {
        snprintf(text, sizeof text, "%" PRId64, m->max + 1);
        expect(f, shape, m, text, false);
    }
}

static void list_of_length(struct fixture *f, const struct model_shape *shape, const struct model_member *m,
                           int64_t length, bool ok)
{
    struct mr_buf text = MR_BUF_INIT;
    mr_buf_char(&text, '[');
    for (int64_t i = 0; i < length; i++) {
        if (i != 0)
            mr_buf_char(&text, ',');
        if (m->kind == MODEL_KIND_LIST)
            sample_object(&text, m->shape, 0);
        else
            mr_buf_printf(&text, "\"k\"");
    }
    mr_buf_char(&text, ']');
    mr_buf_char(&text, '\0');
    expect(f, shape, m, text.ptr, ok);
    mr_buf_release(&text);
}

static void try_list(struct fixture *f, const struct model_shape *shape, const struct model_member *m)
{
    list_of_length(f, shape, m, m->min, true);
    if (m->min > 0)
        list_of_length(f, shape, m, m->min - 1, false);
    if (m->max != INT64_MAX) {
        list_of_length(f, shape, m, m->max, true);
        list_of_length(f, shape, m, m->max + 1, false);
    }
}

static void every_constraint_of_every_shape(void **state)
{
    struct fixture *f = *state;
    for (size_t s = 0; s < model_shape_count; s++)
        for (uint32_t i = 0; i < model_shapes[s]->index->count; i++) {
            const struct model_member *m = &model_shapes[s]->index->members[i];
            expect(f, model_shapes[s], m, NULL, !m->required);
            expect(f, model_shapes[s], m, "null", !m->required);
            if (m->kind == MODEL_KIND_TEXT || m->kind == MODEL_KIND_NAME)
                try_text(f, model_shapes[s], m);
            else if (is_integer(m))
                try_integer(f, model_shapes[s], m);
            else if (m->kind == MODEL_KIND_LIST || m->kind == MODEL_KIND_TEXTS)
                try_list(f, model_shapes[s], m);
            else if (m->kind == MODEL_KIND_ENUM)
                expect(f, model_shapes[s], m, "\"NO_SUCH_WORD\"", false);
        }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_rule_in_its_words),      TEST(paths_lead_to_the_member),
        TEST(all_violations_in_one_text),  TEST(ten_violations_are_listed),
        TEST(lists_have_their_bounds),     TEST(elements_may_not_be_null),
        TEST(lengths_count_what_they_say), TEST(long_values_are_cut_at_a_character),
        TEST(a_value_may_hold_nul),        TEST(every_constraint_of_every_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
