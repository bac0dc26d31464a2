/* From outcomes to the answer: reference 5.7, 5.9, 5.10. */
#include "kit.h"

#define REQUEST                                                                                              \
    "\"CommonAttributes\":{\"Dimensions\":[{\"Name\":\"host\",\"Value\":\"a\"}],\"MeasureValue\":\"1\","     \
    "\"Version\":3,"                                                                                         \
    "\"Time\":\"1700000000000\"},\"Records\":[{\"MeasureName\":\"a\"},{\"MeasureName\":\"b\",\"Time\":"      \
    "\"1\"},"                                                                                                \
    "{\"MeasureName\":\"c\"},{\"MeasureName\":\"d\"},{\"MeasureName\":\"e\"}]"

static void test_all_accepted(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    struct ingest_counts counts;
    struct mr_buf out = MR_BUF_INIT;
    kit_init(&kit);
    kit.table.magnetic_writes = true;
    kit.table.magnetic_days = 73000;
    kit_build(&kit, REQUEST);
    kit.batch.records[2].outcome = STORE_DUPLICATE; /* counts as ingested */
    assert_int_equal(ingest_answer(&kit.batch, INGEST_CONFLICTS_NOW, &kit.arena, &out, &counts, &kit.fault),
                     MR_OK);
    check_str(mr_buf_view(&out), "{\"RecordsIngested\":{\"MagneticStore\":1,\"MemoryStore\":4,\"Total\":5}}");
    mr_buf_release(&out);
    kit_release(&kit);
}

static void test_rejections_ascend_and_say_why(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    struct ingest_counts counts;
    struct mr_buf out = MR_BUF_INIT;
    kit_init(&kit);
    kit_build(&kit, REQUEST); /* record 1 is outside the window */
    assert_int_equal(kit.batch.count, 4);
    kit.batch.records[0].outcome = STORE_REJECT_LOWER_VERSION;
    kit.batch.records[0].existing_version = 9;
    kit.batch.records[1].outcome = STORE_REJECT_SAME_VERSION;
    kit.batch.records[3].outcome = STORE_REJECT_NAME_IS_MEASURE;
    kit.batch.records[3].detail = MR_STR("\"quoted\"");
    assert_int_equal(ingest_answer(&kit.batch, INGEST_CONFLICTS_NOW, &kit.arena, &out, &counts, &kit.fault),
                     MR_EINVAL);
    assert_int_equal(out.len, 0);
    assert_int_equal(counts.rejected, 4);
    assert_int_equal(counts.memory, 1);
    assert_int_equal(kit.fault.error, MODEL_REJECTED_RECORDS);
    struct mr_buf body = MR_BUF_INIT;
    model_fault_body(&kit.fault, &body);
    mr_buf_char(&body, '\0');
    static const char *const parts[] = {
        "#RejectedRecordsException\",\"RejectedRecords\":[{\"Reason\":\"The record version 3 is lower than "
        "the existing version "
        "9. A higher version is required to update the measure "
        "value.\",\"RecordIndex\":0,\"ExistingVersion\":9},",
        "\"RecordIndex\":1},{\"Reason\":\"A record already exists with the same time, dimensions, measure "
        "name, and record "
        "version.",
        "\"RecordIndex\":2},{\"Reason\":\"The dimension name \\\"quoted\\\" is already used as a measure "
        "name.\",\"RecordIndex\":4}],",
        "\"message\":\"One or more records have been rejected. See RejectedRecords for details. Record 0: "
        "The record version 3",
        "(1 more)\"}",
    };
    const char *at = body.ptr;
    for (size_t i = 0; i < MR_ARRAY_LEN(parts); i++) {
        at = strstr(at, parts[i]);
        if (at == NULL)
            fail_msg("missing or out of order: %s\nin %s", parts[i], body.ptr);
    }
    mr_buf_release(&body);
    mr_buf_release(&out);
    kit_release(&kit);
}

/* Reference 5.7: of the magnetic store's records only the version conflicts are kept quiet about. */
static void test_conflicts_told_later(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    struct ingest_counts counts;
    struct mr_buf out = MR_BUF_INIT;
    kit_init(&kit);
    kit.table.magnetic_writes = true;
    kit.table.magnetic_days = 73000;
    kit_build(&kit, REQUEST);
    kit.batch.records[0].magnetic = true;
    kit.batch.records[0].outcome = STORE_REJECT_LOWER_VERSION;
    kit.batch.records[0].existing_version = 4;
    assert_true(kit.batch.records[1].magnetic); /* by its time */
    kit.batch.records[1].outcome = STORE_REJECT_SAME_VERSION;
    assert_int_equal(ingest_answer(&kit.batch, INGEST_CONFLICTS_LATER, &kit.arena, &out, &counts, &kit.fault),
                     MR_OK);
    check_str(mr_buf_view(&out), "{\"RecordsIngested\":{\"MagneticStore\":2,\"MemoryStore\":3,\"Total\":5}}");
    assert_int_equal(counts.unreported, 2);
    assert_int_equal(counts.magnetic, 0);
    assert_int_equal(counts.rejected, 0);

    kit.batch.records[0].outcome = STORE_REJECT_MEASURE_TYPE; /* no conflict of versions */
    kit.batch.records[2].outcome = STORE_REJECT_SAME_VERSION; /* memory store */
    assert_int_equal(ingest_answer(&kit.batch, INGEST_CONFLICTS_LATER, &kit.arena, &out, &counts, &kit.fault),
                     MR_EINVAL);
    assert_int_equal(counts.unreported, 1);
    assert_int_equal(counts.rejected, 2);
    mr_buf_release(&out);
    kit_release(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_accepted),
        cmocka_unit_test(test_rejections_ascend_and_say_why),
        cmocka_unit_test(test_conflicts_told_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
