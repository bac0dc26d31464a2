/* Merging, validation, values, times and windows. Section numbers are of the Write API reference. */
#include "kit.h"

#include <stdio.h>

#define DIMS "\"Dimensions\":[{\"Name\":\"host\",\"Value\":\"a\"}],"
#define TIME "\"Time\":\"1700000000000\""

static void check_invalid(const char *rest, const char *text)
{
    struct kit kit;
    kit_init(&kit);
    kit_build(&kit, rest);
    if (kit.status != MR_EINVAL)
        fail_msg("accepted: %s", rest);
    assert_int_equal(kit.fault.error, MODEL_VALIDATION);
    struct mr_str message = mr_arena_dup(&kit.arena, kit.fault.message);
    if (strstr(message.ptr, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", message.ptr, text);
    kit_release(&kit);
}

static void test_common_and_record_merge(void **state) /* 5.2 */
{
    MR_UNUSED(state);
    struct kit kit;
    kit_init(&kit);
    kit_build(
        &kit,
        "\"CommonAttributes\":{\"Dimensions\":[{\"Name\":\"z\",\"Value\":\"1\"}],\"MeasureName\":\"common\","
        "\"Time\":\"1700000000\",\"TimeUnit\":\"SECONDS\",\"Version\":7,\"MeasureValueType\":\"BIGINT\","
        "\"MeasureValue\":\"5\"},"
        "\"Records\":[{},{\"Dimensions\":[{\"Name\":\"a\",\"Value\":\"2\"}],\"MeasureName\":\"own\","
        "\"MeasureValue\":\"1.5\",\"MeasureValueType\":\"DOUBLE\",\"Time\":\"1699999999\",\"Version\":8}]");
    assert_int_equal(kit.status, MR_OK);
    assert_int_equal(kit.batch.count, 2);
    const struct store_record *r = kit.batch.records;
    check_str(r[0].measure_name, "common");
    assert_int_equal(r[0].type, STORE_BIGINT);
    assert_int_equal(r[0].attrs[0].value.i64, 5);
    assert_int_equal(r[0].version, 7);
    assert_int_equal(r[0].time, NOW);
    assert_int_equal(r[1].ndims, 2);
    check_str(r[1].dims[0].name, "a"); /* sorted, whatever the order of arrival */
    check_str(r[1].dims[1].name, "z");
    check_str(r[1].measure_name, "own");
    assert_int_equal(r[1].version, 8);
    assert_true(r[1].attrs[0].value.f64 == 1.5);
    assert_int_equal(r[1].time, NOW - MR_NS_PER_S);
    kit_release(&kit);
}

static void test_equal_dimensions_share_the_array(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    kit_init(&kit);
    kit_build(&kit, "\"CommonAttributes\":{" TIME ",\"MeasureValue\":\"1\"},\"Records\":["
                    "{" DIMS "\"MeasureName\":\"a\"},{" DIMS "\"MeasureName\":\"b\"},"
                    "{\"Dimensions\":[{\"Name\":\"host\",\"Value\":\"b\"}],\"MeasureName\":\"c\"}]");
    assert_int_equal(kit.status, MR_OK);
    assert_ptr_equal(kit.batch.records[0].dims, kit.batch.records[1].dims);
    assert_ptr_not_equal(kit.batch.records[1].dims, kit.batch.records[2].dims);
    kit_release(&kit);
}

static void test_refused_requests(void **state) /* 4.3, 5.2 to 5.5 */
{
    MR_UNUSED(state);
#define ONE(members) "\"Records\":[{" members "}]"
#define SINGLE(kind, value)                                                                                  \
    ONE(DIMS TIME ",\"MeasureName\":\"m\",\"MeasureValueType\":\"" kind "\",\"MeasureValue\":\"" value "\"")
    check_invalid(ONE(TIME ",\"MeasureName\":\"m\",\"MeasureValue\":\"1\""),
                  "At least one dimension is required for a record.");
    check_invalid(ONE(DIMS TIME ",\"MeasureValue\":\"1\""), "no measure name");
    check_invalid(ONE(DIMS TIME ",\"MeasureName\":\"m\""), "no measure value");
    check_invalid(ONE(DIMS "\"MeasureName\":\"m\",\"MeasureValue\":\"1\""), "Invalid time for record.");
    check_invalid("\"CommonAttributes\":{" DIMS TIME
                  "}," ONE(DIMS "\"MeasureName\":\"m\",\"MeasureValue\":\"1\""),
                  "duplicate names: host");
    check_invalid(SINGLE("TIMESTAMP", "1"), "TIMESTAMP is an invalid measure value type.");
    check_invalid(SINGLE("BIGINT", "1e3"), "Invalid value 1e3 for bigint measure value type.");
    check_invalid(SINGLE("BIGINT", "-9223372036854775809"), "Invalid value");
    check_invalid(SINGLE("DOUBLE", "0x10"), "Invalid value 0x10 for double measure value type.");
    check_invalid(SINGLE("DOUBLE", "1e999"), "Invalid value");
    check_invalid(SINGLE("DOUBLE", "nan"), "IEEE");
    check_invalid(SINGLE("BOOLEAN", "t"), "Invalid value t for boolean measure value type.");
    check_invalid(SINGLE("MULTI", "1"), "must not have a measure value");
    check_invalid(ONE(DIMS TIME ",\"MeasureName\":\"m\",\"MeasureValueType\":\"MULTI\""),
                  "at least one of MeasureValues");
    check_invalid(
        ONE(DIMS TIME
            ",\"MeasureName\":\"m\",\"MeasureValue\":\"1\",\"MeasureValues\":[{\"Name\":\"a\",\"Value\":"
            "\"1\",\"Type\":\"BIGINT\"}]"),
        "only allowed in a record of measure value type MULTI");
    check_invalid(
        ONE(DIMS TIME
            ",\"MeasureName\":\"m\",\"MeasureValueType\":\"MULTI\",\"MeasureValues\":[{\"Name\":\"a\","
            "\"Value\":\"1\",\"Type\":\"MULTI\"}]"),
        "MULTI is an invalid type");
    check_invalid(
        ONE(DIMS TIME
            ",\"MeasureName\":\"m\",\"MeasureValueType\":\"MULTI\",\"MeasureValues\":[{\"Name\":\"a\","
            "\"Value\":\"1\",\"Type\":\"BIGINT\"},{\"Name\":\"a\",\"Value\":\"2\",\"Type\":\"BIGINT\"}]"),
        "duplicate names: a");
    static const char *const dims[] = {"time", "ts_a",   "measure_value", "measure_name_2",
                                       "a:b",  "a\\\"b", "a\\u0001",      "a\\u2028"};
    for (size_t i = 0; i < MR_ARRAY_LEN(dims); i++) {
        char rest[300];
        snprintf(rest, sizeof rest,
                 "\"Records\":[{\"Dimensions\":[{\"Name\":\"%s\",\"Value\":\"1\"}]," TIME
                 ",\"MeasureName\":\"m\",\"MeasureValue\":\"1\"}]",
                 dims[i]);
        check_invalid(rest, "The dimension name is invalid.");
    }
    check_invalid("\"Records\":[{\"Dimensions\":[{\"Name\":\"d\",\"Value\":\"\"}]," TIME
                  ",\"MeasureName\":\"m\",\"MeasureValue\":\"1\"}]",
                  "is empty");
    check_invalid(ONE(DIMS TIME ",\"MeasureName\":\"a:b\",\"MeasureValue\":\"1\""),
                  "The measure name is invalid.");
}

static void test_legal_names(void **state) /* 4.3: what old rules refused */
{
    MR_UNUSED(state);
    struct kit kit;
    kit_init(&kit);
    kit_build(&kit, "\"Records\":[{\"Dimensions\":[{\"Name\":\"$id\",\"Value\":\"1\"},{\"Name\":\"docker."
                    "container\",\"Value\":"
                    "\"x\"},{\"Name\":\"SELECT\",\"Value\":\" \"}]," TIME
                    ",\"MeasureName\":\"from\",\"MeasureValue\":\"+1\"}]");
    assert_int_equal(kit.status, MR_OK);
    kit_release(&kit);
}

static void test_times(void **state) /* 5.5 */
{
    MR_UNUSED(state);
    static const struct {
        const char *time, *unit;
        bool ok;
    } cases[] = {
        {"9223372036854775807", "NANOSECONDS", true},
        {"9223372036854775808", "NANOSECONDS", false},
        {"9223372036854775", "MICROSECONDS", true},
        {"9223372036854776", "MICROSECONDS", false},
        {"9223372036", "SECONDS", true},
        {"9223372037", "SECONDS", false},
        {"-1", "SECONDS", false},
        {"1.5", "SECONDS", false},
        {"0", "SECONDS", true},
        {"", "SECONDS", false},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        if (cases[i].time[0] == '\0')
            continue; /* the model refuses it */
        struct kit kit;
        char rest[300];
        kit_init(&kit);
        snprintf(rest, sizeof rest,
                 "\"Records\":[{" DIMS "\"Time\":\"%s\",\"TimeUnit\":\"%s\",\"MeasureName\":\"m\","
                 "\"MeasureValue\":\"1\"}]",
                 cases[i].time, cases[i].unit);
        kit_build(&kit, rest);
        assert_int_equal(kit.status, cases[i].ok ? MR_OK : MR_EINVAL);
        if (cases[i].ok)
            assert_int_equal(kit.batch.nrejections, 1); /* valid, and far outside the window */
        kit_release(&kit);
    }
}

/* One record at `offset` from now: 'm' memory, 'g' magnetic, 'r' rejected. */
static char fate(int64_t offset, bool magnetic)
{
    struct kit kit;
    char rest[300];
    kit_init(&kit);
    kit.table.magnetic_writes = magnetic;
    snprintf(rest, sizeof rest,
             "\"Records\":[{" DIMS "\"Time\":\"%lld\",\"TimeUnit\":\"NANOSECONDS\",\"MeasureName\":\"m\","
             "\"MeasureValue\":\"1\"}]",
             (long long)(NOW + offset));
    kit_build(&kit, rest);
    assert_int_equal(kit.status, MR_OK);
    char result = kit.batch.nrejections == 1 ? 'r' : kit.batch.records[0].magnetic ? 'g' : 'm';
    kit_release(&kit);
    return result;
}

static void test_windows_to_the_nanosecond(void **state) /* 5.6 */
{
    MR_UNUSED(state);
    int64_t past = 6 * MR_NS_PER_HOUR + INGEST_PAST_GRACE, days = 10 * MR_NS_PER_DAY;
    assert_int_equal(fate(INGEST_FUTURE_LIMIT - 1, false), 'm');
    assert_int_equal(fate(INGEST_FUTURE_LIMIT, false), 'r');
    assert_int_equal(fate(-past, false), 'm');
    assert_int_equal(fate(-past - 1, false), 'r');
    assert_int_equal(fate(-past, true), 'm');
    assert_int_equal(fate(-past - 1, true), 'g');
    assert_int_equal(fate(-past - days, true), 'g');
    assert_int_equal(fate(-past - days - 1, true), 'r');
}

static void test_window_text(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    kit_init(&kit);
    kit_build(&kit, "\"Records\":[{" DIMS "\"Time\":\"5\",\"MeasureName\":\"m\",\"MeasureValue\":\"1\"}]");
    check_str(kit.batch.rejections[0].reason,
              "The record timestamp is outside the time range [2023-11-14T15:48:20.000Z, "
              "2023-11-14T22:28:20.000Z) of the memory store.");
    kit.table.magnetic_writes = true;
    kit.table.magnetic_days = 73000;
    kit_build(&kit, "\"Records\":[{" DIMS "\"Time\":\"5\",\"MeasureName\":\"m\",\"MeasureValue\":\"1\"}]");
    assert_int_equal(kit.batch.nrejections, 0); /* the window reaches back to the epoch */
    kit_release(&kit);
}

static void test_required_partition_key(void **state) /* 7 */
{
    MR_UNUSED(state);
    struct kit kit;
    kit_init(&kit);
    kit.table.partition_dimension = MR_STR("device");
    kit.table.enforcement = CATALOG_ENFORCE_REQUIRED;
    const char *rest = "\"Records\":[{" DIMS TIME ",\"MeasureName\":\"m\",\"MeasureValue\":\"1\"}]";
    kit_build(&kit, rest);
    assert_int_equal(kit.batch.nrejections, 1);
    check_str(kit.batch.rejections[0].reason,
              "The record is missing the required partition key dimension device.");
    kit.table.enforcement = CATALOG_ENFORCE_OPTIONAL;
    kit_build(&kit, rest);
    assert_int_equal(kit.batch.nrejections, 0);
    kit_release(&kit);
}

static void test_size_limits(void **state) /* 5.8 */
{
    MR_UNUSED(state);
    char value[2100];
    memset(value, 'v', sizeof value);
    value[2045] = '\0';
    struct kit kit;
    kit_init(&kit);
    for (int over = 0; over < 2; over++) {
        struct mr_str rest =
            mr_arena_printf(&kit.arena,
                            "\"Records\":[{\"Dimensions\":[{\"Name\":\"dim\",\"Value\":\"%s%s\"}]," TIME
                            ",\"MeasureName\":\"m\",\"MeasureValue\":\"1\"}]",
                            value, over ? "x" : "");
        kit_build(&kit, rest.ptr);
        assert_int_equal(kit.status, MR_OK);
        assert_int_equal(kit.batch.nrejections, over);
    }
    check_str(kit.batch.rejections[0].reason, "The record size exceeds the limit of 2048 bytes.");
    kit_release(&kit);
}

static void test_metered_size(void **state) /* 5.13 */
{
    MR_UNUSED(state);
    struct kit kit;
    kit_init(&kit);
    kit_build(&kit, "\"Records\":[{" DIMS TIME ",\"MeasureName\":\"cpu\",\"MeasureValue\":\"1\"},{" DIMS TIME
                    ",\"MeasureName\":\"up\",\"MeasureValueType\":\"BOOLEAN\",\"MeasureValue\":\"true\"}]");
    assert_int_equal(kit.batch.metered_bytes, (8 + 5 + 3 + 8) + (8 + 5 + 2 + 1));
    kit_release(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common_and_record_merge),
        cmocka_unit_test(test_equal_dimensions_share_the_array),
        cmocka_unit_test(test_refused_requests),
        cmocka_unit_test(test_legal_names),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_windows_to_the_nanosecond),
        cmocka_unit_test(test_window_text),
        cmocka_unit_test(test_required_partition_key),
        cmocka_unit_test(test_size_limits),
        cmocka_unit_test(test_metered_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
