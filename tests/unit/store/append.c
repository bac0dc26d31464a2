/* What an append decides, and that the decision survives a restart. */
#include "kit.h"

#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

static struct mr_pair dims_a[] = {{MR_STR("host"), MR_STR("a")}, {MR_STR("rack"), MR_STR("r1")}};
static struct mr_pair dims_b[] = {{MR_STR("host"), MR_STR("b")}};

static void expect_rows(struct kit *kit, const char *want)
{
    char *got = kit_rows(kit->store, kit->table);
    assert_string_equal(got, want);
    mr_free(got);
}

static enum store_outcome put(struct kit *kit, struct store_record record)
{
    check_ok(kit_append(kit->table, &record, 1), NULL);
    return record.outcome;
}

static void test_versions(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    kit_open(&kit);
    struct store_attr one = kit_double(NULL, 1.5), two = kit_double(NULL, 2.5);
#define PUT(version, value) put(&kit, kit_record(dims_a, 2, "temp", 100, (version), &(value), 1))
    assert_int_equal(PUT(5, one), STORE_STORED);
    assert_int_equal(PUT(5, one), STORE_DUPLICATE);
    assert_int_equal(PUT(5, two), STORE_REJECT_SAME_VERSION);
    struct store_record lower = kit_record(dims_a, 2, "temp", 100, 4, &one, 1);
    check_ok(kit_append(kit.table, &lower, 1), NULL);
    assert_int_equal(lower.outcome, STORE_REJECT_LOWER_VERSION);
    assert_int_equal(lower.existing_version, 5);
    assert_int_equal(PUT(6, one), STORE_STORED); /* the version alone */
    assert_int_equal(PUT(5, one), STORE_REJECT_LOWER_VERSION);
    expect_rows(&kit, "temp{host=a,rack=r1}@100 measure_value::double=1.5\n");
    assert_int_equal(PUT(INT64_MAX, two), STORE_STORED);
    expect_rows(&kit, "temp{host=a,rack=r1}@100 measure_value::double=2.5\n");
    kit_reopen(&kit);
    expect_rows(&kit, "temp{host=a,rack=r1}@100 measure_value::double=2.5\n");
    assert_int_equal(PUT(INT64_MAX, two), STORE_DUPLICATE);
    assert_int_equal(PUT(7, two), STORE_REJECT_LOWER_VERSION);
#undef PUT
    kit_close(&kit);
}

static void test_multi_is_replaced_whole(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    kit_open(&kit);
    struct store_attr first[] = {kit_double("x", 1), kit_text("state", "on"), kit_bool("ok", true)};
    struct store_attr swapped[] = {first[2], first[1], first[0]};
    struct store_attr second[] = {kit_bigint("n", -3), kit_text("state", ""), kit_time("seen", 17)};
    assert_int_equal(put(&kit, kit_record(dims_b, 1, "m", 1, 1, first, 3)), STORE_STORED);
    assert_int_equal(put(&kit, kit_record(dims_b, 1, "m", 1, 1, swapped, 3)), STORE_DUPLICATE);
    assert_int_equal(put(&kit, kit_record(dims_b, 1, "m", 1, 1, first, 2)), STORE_REJECT_SAME_VERSION);
    assert_int_equal(put(&kit, kit_record(dims_b, 1, "m", 2, 1, first, 1)), STORE_STORED);
    expect_rows(&kit, "m{host=b}@1 x=1 state=on ok=true\nm{host=b}@2 x=1\n");
    assert_int_equal(put(&kit, kit_record(dims_b, 1, "m", 1, 2, second, 3)), STORE_STORED);
    expect_rows(&kit, "m{host=b}@1 state= n=-3 seen=17\nm{host=b}@2 x=1\n");
    kit_reopen(&kit);
    expect_rows(&kit, "m{host=b}@1 state= n=-3 seen=17\nm{host=b}@2 x=1\n");
    kit_close(&kit);
}

static void test_schema_rules(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    kit_open(&kit);
    struct store_attr d = kit_double(NULL, 1), i = kit_bigint(NULL, 1);
    struct store_attr x_double[] = {kit_double("x", 1)}, mixed[] = {kit_double("y", 1), kit_bigint("x", 1)};
    struct store_attr host[] = {kit_double("host", 1)}, zone[] = {kit_double("q", 1), kit_double("zone", 1)};
    struct mr_pair dim_x[] = {{MR_STR("x"), MR_STR("1")}}, dim_zone[] = {{MR_STR("zone"), MR_STR("1")}};
    assert_int_equal(put(&kit, kit_record(dims_a, 2, "s", 1, 1, &d, 1)), STORE_STORED);
    assert_int_equal(put(&kit, kit_record(dims_a, 2, "s", 2, 1, &i, 1)), STORE_REJECT_MEASURE_TYPE);
    assert_int_equal(put(&kit, kit_record(dims_a, 2, "s", 2, 1, x_double, 1)), STORE_REJECT_MEASURE_TYPE);
    assert_int_equal(put(&kit, kit_record(dims_a, 2, "m", 1, 1, x_double, 1)), STORE_STORED);
    struct store_record r = kit_record(dims_a, 2, "m2", 1, 1, mixed, 2);
    check_ok(kit_append(kit.table, &r, 1), NULL);
    assert_int_equal(r.outcome, STORE_REJECT_ATTRIBUTE_TYPE);
    check_str(r.detail, "x");
    assert_int_equal(put(&kit, kit_record(dims_a, 2, "m", 2, 1, host, 1)), STORE_REJECT_NAME_IS_DIMENSION);
    assert_int_equal(put(&kit, kit_record(dim_x, 1, "m", 2, 1, x_double, 1)), STORE_REJECT_NAME_IS_MEASURE);
    assert_int_equal(put(&kit, kit_record(dim_zone, 1, "m", 2, 1, zone, 2)), STORE_REJECT_NAME_IS_DIMENSION);
    struct mr_arena arena = MR_ARENA_INIT;
    struct store_schema schema;
    check_ok(store_schema_get(kit.table, &arena, &schema), NULL);
    /* Refused records left nothing: no y, q, zone, m2. */
    assert_int_equal(schema.ncolumns, 6);
    check_str(schema.columns[2].name, "host");
    check_str(schema.columns[4].name, "measure_value::double");
    assert_int_equal(schema.columns[4].role, STORE_MEASURE_VALUE);
    check_str(schema.columns[5].name, "x");
    assert_int_equal(schema.columns[5].role, STORE_ATTRIBUTE);
    assert_int_equal(schema.nmeasures, 2);
    assert_int_equal(schema.measures[1].type, STORE_MULTI);
    assert_int_equal(schema.measures[1].ndims, 2);
    mr_arena_release(&arena);
    kit_close(&kit);
}

static void test_order_within_a_request(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    kit_open(&kit);
    struct store_attr one = kit_double(NULL, 1), two = kit_double(NULL, 2), whole = kit_bigint(NULL, 1);
    struct store_record r[] = {
        kit_record(dims_a, 2, "t", 10, 1, &one, 1), kit_record(dims_a, 2, "t", 10, 1, &one, 1),
        kit_record(dims_a, 2, "t", 10, 1, &two, 1), kit_record(dims_a, 2, "t", 10, 3, &two, 1),
        kit_record(dims_a, 2, "t", 10, 2, &one, 1), kit_record(dims_a, 2, "t", 11, 1, &whole, 1),
        kit_record(dims_a, 2, "t", 9, 1, &one, 1),
    };
    const enum store_outcome want[] = {STORE_STORED,
                                       STORE_DUPLICATE,
                                       STORE_REJECT_SAME_VERSION,
                                       STORE_STORED,
                                       STORE_REJECT_LOWER_VERSION,
                                       STORE_REJECT_MEASURE_TYPE,
                                       STORE_STORED};
    check_ok(kit_append(kit.table, r, MR_ARRAY_LEN(r)), NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(r); i++)
        assert_int_equal(r[i].outcome, want[i]);
    const char *rows = "t{host=a,rack=r1}@10 measure_value::double=2\n"
                       "t{host=a,rack=r1}@9 measure_value::double=1\n";
    expect_rows(&kit, rows);
    kit_reopen(&kit);
    expect_rows(&kit, rows);
    kit_close(&kit);
}

static void test_limits(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    kit_open(&kit);
    char name[16];
    struct store_attr d = kit_double(NULL, 1);
    for (int i = 0; i < 128; i++) {
        snprintf(name, sizeof name, "d%d", i);
        struct mr_pair dim = {mr_str_of(name), MR_STR("v")};
        assert_int_equal(put(&kit, kit_record(&dim, 1, "m", i, 1, &d, 1)), STORE_STORED);
    }
    struct mr_pair more = {MR_STR("one_more"), MR_STR("v")}, known = {MR_STR("d5"), MR_STR("w")};
    assert_int_equal(put(&kit, kit_record(&more, 1, "m", 1, 1, &d, 1)), STORE_REJECT_DIMENSION_LIMIT);
    assert_int_equal(put(&kit, kit_record(&known, 1, "m", 1, 1, &d, 1)), STORE_STORED);
    for (int i = 0; i < 1024; i++) {
        snprintf(name, sizeof name, "a%d", i);
        struct store_attr attr = kit_double(name, 1);
        assert_int_equal(put(&kit, kit_record(&known, 1, "multi", i, 1, &attr, 1)), STORE_STORED);
    }
    struct store_attr attr = kit_double("one_more_still", 1);
    assert_int_equal(put(&kit, kit_record(&known, 1, "multi", 1, 9, &attr, 1)), STORE_REJECT_ATTRIBUTE_LIMIT);
    struct store_record *many = calloc(8190, sizeof *many);
    char(*names)[24] = calloc(8190, sizeof *names);
    for (int i = 0; i < 8190; i++) {
        snprintf(names[i], sizeof names[i], "measure%d", i);
        many[i] = kit_record(&known, 1, names[i], 1, 1, &d, 1);
    }
    check_ok(kit_append(kit.table, many, 8190), NULL);
    assert_int_equal(many[8189].outcome, STORE_STORED);
    assert_int_equal(put(&kit, kit_record(&known, 1, "beyond", 1, 1, &d, 1)), STORE_REJECT_MEASURE_LIMIT);
    kit_reopen(&kit);
    assert_int_equal(put(&kit, kit_record(&known, 1, "beyond", 1, 1, &d, 1)), STORE_REJECT_MEASURE_LIMIT);
    assert_int_equal(put(&kit, kit_record(&known, 1, "measure3", 1, 1, &d, 1)), STORE_DUPLICATE);
    free(many);
    free(names);
    kit_close(&kit);
}

static void test_drop(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    struct mr_error err = MR_ERROR_INIT;
    kit_open(&kit);
    struct store_attr d = kit_double(NULL, 1);
    assert_int_equal(put(&kit, kit_record(dims_a, 2, "s", 1, 1, &d, 1)), STORE_STORED);
    struct store_snapshot *snapshot;
    struct store_scan *scan;
    struct store_cursor *cursor;
    struct store_batch batch;
    struct store_scan_spec spec = {.time_max = INT64_MAX};
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    check_ok(store_scan_open(snapshot, kit.table, &spec, &scan, &err), &err);
    check_ok(store_table_drop(kit.store, 7, &err), &err);
    check_ok(store_table_drop(kit.store, 7, &err), &err);
    check_ok(store_cursor_open(scan, &cursor), NULL); /* the scan goes on */
    check_ok(store_cursor_next(cursor, &batch, &err), &err);
    assert_int_equal(batch.rows, 1);
    store_cursor_close(cursor);
    store_scan_close(scan);
    struct store_record r = kit_record(dims_a, 2, "s", 1, 1, &d, 1);
    assert_int_equal(kit_append(kit.table, &r, 1), MR_ENOENT);
    assert_int_equal(store_scan_open(snapshot, kit.table, &spec, &scan, NULL), MR_ENOENT);
    store_snapshot_close(snapshot);
    struct store_table *again;
    assert_int_equal(store_table_ref(kit.store, 3, 7, &again, NULL), MR_ENOENT);
    struct store_stats stats;
    store_stats(kit.store, &stats);
    assert_int_equal(stats.tables, 0);
    assert_int_equal(stats.memory_bytes, 0);
    store_table_unref(kit.table);
    store_close(kit.store);
    check_ok(store_open(&kit.options, &kit.store, &err), &err);
    assert_int_equal(store_table_ref(kit.store, 3, 7, &again, NULL), MR_ENOENT);
    check_ok(store_table_ref(kit.store, 3, 8, &kit.table, &err), &err);
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),     cmocka_unit_test(test_multi_is_replaced_whole),
        cmocka_unit_test(test_schema_rules), cmocka_unit_test(test_order_within_a_request),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
