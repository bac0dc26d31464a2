/* Which rows a scan returns: predicates against every series in turn, time bounds, batches, sharing,
 * snapshots. */
#include "fake_wal.h"
#include "kit.h"

#include "base/log.h"
#include "base/rand.h"
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { SERIES = 600, DIMS = 3 };

/* dimension values of a series; NULL when it lacks the dimension */
struct member {
    char values[DIMS][16];
    bool has[DIMS];
    char measure[16];
    bool gone;
};

static const char *const dim_names[DIMS] = {"host", "rack", "zone"};

static void make_member(struct member *m, struct mr_rng *rng)
{
    static const unsigned spread[DIMS] = {300, 5, 2};
    for (int d = 0; d < DIMS; d++) {
        m->has[d] = mr_rng_below(rng, 6) != 0;
        snprintf(m->values[d], sizeof m->values[d], "%c%u", "hrz"[d], (unsigned)mr_rng_below(rng, spread[d]));
    }
    m->has[0] |= !m->has[1] && !m->has[2];
    snprintf(m->measure, sizeof m->measure, "m%u", (unsigned)mr_rng_below(rng, 4));
    m->gone = false;
}

static bool same_series(const struct member *a, const struct member *b)
{
    for (int d = 0; d < DIMS; d++)
        if (a->has[d] != b->has[d] || (a->has[d] && strcmp(a->values[d], b->values[d]) != 0))
            return false;
    return strcmp(a->measure, b->measure) == 0;
}

static void write_member(struct kit *kit, const struct member *m, int64_t time, int64_t value)
{
    struct mr_pair dims[DIMS];
    uint32_t ndims = 0;
    for (int d = 0; d < DIMS; d++)
        if (m->has[d])
            dims[ndims++] = (struct mr_pair){mr_str_of(dim_names[d]), mr_str_of(m->values[d])};
    struct store_attr attr = kit_bigint(NULL, value);
    struct store_record r = kit_record(dims, ndims, m->measure, time, 1, &attr, 1);
    check_ok(kit_append(kit->table, &r, 1), NULL);
    assert_int_equal(r.outcome, STORE_STORED);
}

/* ---- predicates
 * ------------------------------------------------------------------------------------------------ */

struct random_pred {
    struct store_pred pred;
    int dim; /* DIMS: the measure name */
    struct mr_str values[4];
    char texts[4][16];
};

static void make_pred(struct kit *kit, struct random_pred *p, struct mr_rng *rng)
{
    static const unsigned spread[DIMS + 1] = {300, 5, 2, 4};
    p->dim = (int)mr_rng_below(rng, DIMS + 1);
    p->pred.op = (enum store_pred_op)mr_rng_below(rng, 5);
    p->pred.column = p->dim == DIMS ? STORE_COLUMN_MEASURE_NAME : kit_column(kit->table, dim_names[p->dim]);
    p->pred.nvalues = p->pred.op == STORE_PRED_PREFIX ? 1 : mr_rng_below(rng, 5);
    p->pred.values = p->values;
    for (size_t i = 0; i < p->pred.nvalues; i++) {
        snprintf(p->texts[i], sizeof p->texts[i], "%c%u", "hrzm"[p->dim],
                 (unsigned)mr_rng_below(rng, spread[p->dim] + 1));
        size_t cut = p->pred.op == STORE_PRED_PREFIX ? mr_rng_below(rng, 3) : 16;
        p->values[i] = mr_str_slice(mr_str_of(p->texts[i]), 0, cut);
    }
}

static bool holds(const struct random_pred *p, const struct member *m)
{
    bool has = p->dim == DIMS || m->has[p->dim], in = false;
    struct mr_str value = mr_str_of(p->dim == DIMS ? m->measure : m->values[p->dim]);
    if (p->pred.op == STORE_PRED_IS_NULL)
        return !has;
    if (!has || p->pred.op == STORE_PRED_NOT_NULL)
        return has;
    if (p->pred.op == STORE_PRED_PREFIX)
        return mr_str_starts(value, p->values[0]);
    for (size_t i = 0; i < p->pred.nvalues; i++)
        in |= mr_str_eq(value, p->values[i]);
    return in == (p->pred.op == STORE_PRED_IN);
}

static size_t count_rows(struct kit *kit, struct store_scan_spec *spec, int64_t *sum)
{
    struct store_snapshot *snapshot;
    struct store_scan *scan;
    struct store_cursor *cursor;
    struct store_batch batch;
    struct mr_error err = MR_ERROR_INIT;
    size_t rows = 0;
    check_ok(store_snapshot_open(kit->store, &snapshot), NULL);
    check_ok(store_scan_open(snapshot, kit->table, spec, &scan, &err), &err);
    check_ok(store_cursor_open(scan, &cursor), NULL);
    do {
        check_ok(store_cursor_next(cursor, &batch, &err), &err);
        rows += batch.rows;
        for (size_t i = 0; i < batch.rows && sum != NULL; i++)
            *sum += ((const int64_t *)batch.cols[0].values)[i];
    } while (batch.rows != 0);
    store_cursor_close(cursor);
    store_scan_close(scan);
    store_snapshot_close(snapshot);
    return rows;
}

static void check_preds(struct kit *kit, const struct member *members, struct mr_rng *rng)
{
    struct random_pred preds[3];
    struct store_pred list[3];
    size_t npreds = mr_rng_below(rng, 4);
    for (size_t i = 0; i < npreds; i++) {
        make_pred(kit, &preds[i], rng);
        list[i] = preds[i].pred;
    }
    uint32_t column = kit_column(kit->table, "measure_value::bigint");
    struct store_scan_spec spec = {0, INT64_MAX, &column, 1, list, npreds, NULL, 0};
    int64_t got = 0, want = 0;
    size_t rows = 0;
    for (int i = 0; i < SERIES; i++) {
        bool all = !members[i].gone;
        for (size_t p = 0; p < npreds && all; p++)
            all = holds(&preds[p], &members[i]);
        rows += all;
        want += all ? INT64_C(1) << (i % 50) : 0; /* the sum tells the series apart well enough */
    }
    assert_int_equal(count_rows(kit, &spec, &got), rows);
    assert_int_equal(got, want);
}

static void test_predicates(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    struct mr_rng rng = {42};
    fake_wal_reset();
    fake_wal_auto(true);
    kit_open(&kit);
    struct member *members = calloc(SERIES, sizeof *members);
    assert_non_null(members);
    for (int i = 0; i < SERIES; i++) {
        bool twin = true;
        while (twin) {
            make_member(&members[i], &rng);
            twin = false;
            for (int k = 0; k < i; k++)
                twin |= same_series(&members[k], &members[i]);
        }
        write_member(&kit, &members[i], 10 * i, INT64_C(1) << (i % 50));
    }
    for (int round = 0; round < 1500; round++)
        check_preds(&kit, members, &rng);
    /* Half of the series go; lists and words with them. */
    check_ok(store_expire(kit.table, 10 * (SERIES / 2), NULL), NULL);
    for (int i = 0; i < SERIES / 2; i++)
        members[i].gone = true;
    for (int round = 0; round < 500; round++)
        check_preds(&kit, members, &rng);
    /* Some come back under new numbers. */
    for (int i = 0; i < SERIES / 2; i += 3) {
        members[i].gone = false;
        write_member(&kit, &members[i], 10 * i, INT64_C(1) << (i % 50));
    }
    for (int round = 0; round < 500; round++)
        check_preds(&kit, members, &rng);
    /* A restart reads both lives of them. */
    kit_reopen(&kit);
    check_ok(store_expire(kit.table, 10 * SERIES, NULL), NULL);
    struct store_stats stats;
    store_stats(kit.store, &stats);
    assert_int_equal(stats.series, 0);
    assert_int_equal(stats.rows, 0);
    for (int i = 0; i < SERIES; i++) {
        members[i].gone = false;
        write_member(&kit, &members[i], 10 * i, INT64_C(1) << (i % 50));
    }
    for (int round = 0; round < 500; round++)
        check_preds(&kit, members, &rng);
    free(members);
    kit_close(&kit);
}

static void test_bad_specs(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    fake_wal_reset();
    fake_wal_auto(true);
    kit_open(&kit);
    struct store_snapshot *snapshot;
    struct store_scan *scan;
    struct store_pred on_time = {STORE_COLUMN_TIME, STORE_PRED_NOT_NULL, NULL, 0},
                      far = {77, STORE_PRED_IN, NULL, 0};
    uint32_t column = 99;
    struct store_scan_spec specs[] = {{.time_max = 1, .preds = &on_time, .npreds = 1},
                                      {.time_max = 1, .preds = &far, .npreds = 1},
                                      {.time_max = 1, .columns = &column, .ncolumns = 1}};
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(specs); i++)
        assert_int_equal(store_scan_open(snapshot, kit.table, &specs[i], &scan, NULL), MR_EINVAL);
    store_snapshot_close(snapshot);
    kit_close(&kit);
}

/* ---- batches
 * --------------------------------------------------------------------------------------------------- */

enum { LONG = 10000 };

static void test_batches_and_bounds(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    struct mr_rng rng = {7};
    fake_wal_reset();
    fake_wal_auto(true);
    kit_open(&kit);
    struct mr_pair dim = {MR_STR("host"), MR_STR("a")};
    struct store_attr attr = kit_bigint(NULL, 1);
    struct store_record *r = calloc(LONG, sizeof *r);
    assert_non_null(r);
    for (int i = 0; i < LONG; i++)
        r[i] = kit_record(&dim, 1, "m", 3 * i, 1, &attr, 1);
    for (int i = LONG - 1; i > 0; i--) { /* in any order */
        size_t k = mr_rng_below(&rng, (uint64_t)i + 1);
        struct store_record swap = r[i];
        r[i] = r[k];
        r[k] = swap;
    }
    check_ok(kit_append(kit.table, r, LONG), NULL);
    const uint32_t time = STORE_COLUMN_TIME;
    struct store_scan_spec spec = {0, INT64_MAX, &time, 1, NULL, 0, NULL, 0};
    int64_t sum = 0;
    assert_int_equal(count_rows(&kit, &spec, &sum), LONG);
    assert_int_equal(sum, INT64_C(3) * LONG * (LONG - 1) / 2);
    for (int i = 0; i < 300; i++) {
        int64_t a = (int64_t)mr_rng_below(&rng, 3 * LONG + 10), b = a + (int64_t)mr_rng_below(&rng, 3 * LONG);
        int64_t first = (a + 2) / 3, last = b / 3 < LONG - 1 ? b / 3 : LONG - 1;
        spec = (struct store_scan_spec){.time_min = a, .time_max = b};
        assert_int_equal(count_rows(&kit, &spec, NULL), last >= first ? last - first + 1 : 0);
    }
    spec = (struct store_scan_spec){.time_min = 5, .time_max = 4};
    assert_int_equal(count_rows(&kit, &spec, NULL), 0);
    free(r);
    kit_close(&kit);
}

static void test_long_texts_make_short_batches(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    fake_wal_reset();
    fake_wal_auto(true);
    kit_open(&kit);
    struct mr_pair dim = {MR_STR("host"), MR_STR("a")};
    char *big = malloc(2049);
    assert_non_null(big);
    memset(big, 'x', 2048);
    big[2048] = '\0';
    for (int i = 0; i < 5000; i++) {
        big[0] = (char)('a' + i % 26);
        big[1] = (char)('a' + i / 26 % 26);
        struct store_attr attrs[] = {kit_text("one", big), kit_text("two", big), kit_bigint("n", i)};
        struct store_record r = kit_record(&dim, 1, "m", i, 1, attrs, 3);
        check_ok(kit_append(kit.table, &r, 1), NULL);
    }
    free(big);
    struct store_snapshot *snapshot;
    struct store_scan *scan;
    struct store_cursor *cursor;
    struct store_batch batch;
    const uint32_t columns[] = {kit_column(kit.table, "one"), kit_column(kit.table, "two"),
                                kit_column(kit.table, "n"), STORE_COLUMN_TIME};
    struct store_scan_spec spec = {0, INT64_MAX, columns, 4, NULL, 0, NULL, 0};
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    check_ok(store_scan_open(snapshot, kit.table, &spec, &scan, NULL), NULL);
    check_ok(store_cursor_open(scan, &cursor), NULL);
    int64_t next = 0;
    for (;;) {
        check_ok(store_cursor_next(cursor, &batch, NULL), NULL);
        if (batch.rows == 0)
            break;
        assert_in_range(batch.rows, 1, 1024);
        for (size_t row = 0; row < batch.rows; row++, next++) {
            const struct mr_str *one = batch.cols[0].values, *two = batch.cols[1].values;
            assert_int_equal(((const int64_t *)batch.cols[2].values)[row], next);
            assert_int_equal(((const int64_t *)batch.cols[3].values)[row], next);
            assert_int_equal(one[row].len, 2048);
            assert_true(mr_str_eq(one[row], two[row]));
            assert_int_equal(one[row].ptr[0], 'a' + next % 26);
        }
    }
    assert_int_equal(next, 5000);
    store_cursor_close(cursor);
    store_scan_close(scan);
    store_snapshot_close(snapshot);
    kit_close(&kit);
}

static void test_cursors_share_a_scan(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    fake_wal_reset();
    fake_wal_auto(true);
    kit_open(&kit);
    struct store_attr attr = kit_double(NULL, 1);
    for (int i = 0; i < 100; i++) {
        char host[16];
        snprintf(host, sizeof host, "h%d", i);
        struct mr_pair dim = {MR_STR("host"), mr_str_of(host)};
        struct store_record r = kit_record(&dim, 1, "m", 1, 1, &attr, 1);
        check_ok(kit_append(kit.table, &r, 1), NULL);
    }
    struct store_snapshot *snapshot;
    struct store_scan *scan;
    struct store_cursor *cursors[3];
    struct store_batch batch;
    struct store_scan_spec spec = {.time_max = 10};
    size_t rows[3] = {0}, total = 0;
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    check_ok(store_scan_open(snapshot, kit.table, &spec, &scan, NULL), NULL);
    for (int i = 0; i < 3; i++)
        check_ok(store_cursor_open(scan, &cursors[i]), NULL);
    for (int turn = 0; turn < 150; turn++) {
        check_ok(store_cursor_next(cursors[turn % 3], &batch, NULL), NULL);
        rows[turn % 3] += batch.rows;
        total += batch.rows;
    }
    assert_int_equal(total, 100);
    assert_true(rows[0] > 20 && rows[1] > 20 && rows[2] > 20);
    for (int i = 0; i < 3; i++)
        store_cursor_close(cursors[i]);
    store_scan_close(scan);
    store_snapshot_close(snapshot);
    kit_close(&kit);
}

/* ---- snapshots
 * ------------------------------------------------------------------------------------------------- */

static struct store_commit commits[8];
static unsigned finished;

static void on_done(struct store_commit *commit)
{
    MR_UNUSED(commit);
    finished++;
}

static void queue(struct kit *kit, unsigned i, struct store_record r, enum store_outcome want)
{
    commits[i].done = on_done;
    check_ok(store_append(kit->table, &r, 1, &commits[i], NULL), NULL);
    assert_int_equal(r.outcome, want);
}

static void expect_at(struct kit *kit, struct store_snapshot *snapshot, const char *want)
{
    char *got = snapshot != NULL ? kit_rows_at(snapshot, kit->table, NULL, 0, 0, INT64_MAX)
                                 : kit_rows(kit->store, kit->table);
    assert_string_equal(got, want);
    mr_free(got);
}

static void test_only_durable_rows_are_seen(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    struct mr_pair dim = {MR_STR("host"), MR_STR("a")};
    struct store_attr one = kit_double(NULL, 1), two = kit_double(NULL, 2), three = kit_double(NULL, 3);
    fake_wal_reset();
    kit_open(&kit);
    finished = 0;
    queue(&kit, 0, kit_record(&dim, 1, "m", 5, 1, &one, 1), STORE_STORED);
    expect_at(&kit, NULL, "");
    /* A duplicate of a row that is not durable is not acknowledged before it. */
    queue(&kit, 1, kit_record(&dim, 1, "m", 5, 1, &one, 1), STORE_DUPLICATE);
    assert_int_equal(finished, 0);
    fake_wal_durable(1);
    assert_int_equal(finished, 2);
    struct store_snapshot *first, *second;
    check_ok(store_snapshot_open(kit.store, &first), NULL);
    queue(&kit, 2, kit_record(&dim, 1, "m", 5, 2, &two, 1), STORE_STORED);
    queue(&kit, 3, kit_record(&dim, 1, "m", 5, 3, &three, 1), STORE_STORED);
    queue(&kit, 4, kit_record(&dim, 1, "m", 4, 1, &three, 1), STORE_STORED);
    expect_at(&kit, NULL, "m{host=a}@5 measure_value::double=1\n");
    fake_wal_durable(2);
    check_ok(store_snapshot_open(kit.store, &second), NULL);
    fake_wal_durable(4);
    expect_at(&kit, first, "m{host=a}@5 measure_value::double=1\n");
    expect_at(&kit, second, "m{host=a}@5 measure_value::double=2\n");
    expect_at(&kit, NULL, "m{host=a}@4 measure_value::double=3\nm{host=a}@5 measure_value::double=3\n");
    store_snapshot_close(first);
    store_snapshot_close(second);
    /* Nobody can ask for the old states any more: the next append lets them go. */
    struct store_stats before, after;
    store_stats(kit.store, &before);
    queue(&kit, 5, kit_record(&dim, 1, "m", 5, 3, &three, 1), STORE_DUPLICATE);
    store_stats(kit.store, &after);
    assert_true(after.memory_bytes < before.memory_bytes);
    assert_int_equal(finished, 6);
    kit_close(&kit);
}

int main(void)
{
    mr_log_set_level(MR_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_predicates),           cmocka_unit_test(test_bad_specs),
        cmocka_unit_test(test_batches_and_bounds),   cmocka_unit_test(test_long_texts_make_short_batches),
        cmocka_unit_test(test_cursors_share_a_scan), cmocka_unit_test(test_only_durable_rows_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
