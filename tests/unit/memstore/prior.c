/* The version rule against rows that lie in files, and which rows must be looked up for it. */
#include "kit.h"

#include "lib/check.h"
#include "lib/fault.h"

static struct mem_budget budget;
static struct mem_table *table;
static struct mem_scratch *scratch;

static int open_table(void **state)
{
    MR_UNUSED(state);
    check_ok(mem_table_open(&budget, &table), NULL);
    scratch = mem_scratch_new();
    return scratch != NULL ? 0 : -1;
}

static int close_table(void **state)
{
    MR_UNUSED(state);
    mem_table_close(table);
    mem_scratch_free(scratch);
    return mem_budget_bytes(&budget) == 0 ? 0 : -1;
}

static struct kit_row row_of(unsigned k, int64_t time, int64_t version, unsigned content)
{
    return (struct kit_row){k, 0, time, version, content};
}

/* One record against one prior (or none), undone again. The status, or the outcome when that is MR_OK. */
static int judge(struct kit_row row, const struct mem_prior *prior, uint64_t epoch, int64_t *existing)
{
    struct kit_words w;
    struct mem_record r = kit_record(&w, row);
    struct mem_counts before, after;
    mem_counts(table, &before);
    mem_batch_begin(table, scratch, 1000, 0);
    if (prior != NULL)
        mem_batch_priors(table, prior, 1, epoch);
    int rc = mem_batch_put(table, &r);
    mem_batch_abort(table);
    mem_counts(table, &after);
    assert_true(after.rows == before.rows && after.series == before.series);
    assert_true(after.next_series == before.next_series && after.replaced == before.replaced);
    if (existing != NULL)
        *existing = r.existing_version;
    return rc != MR_OK ? rc : (int)r.outcome;
}

/* A row of version 5 and content 7 at time 10 of series k, in files alone. */
static struct mem_prior file_row(unsigned k, struct kit_words *w)
{
    struct kit_row row = row_of(k, 10, 5, 7);
    assert_int_equal(kit_put(table, scratch, 1, row), MEM_STORED);
    mem_release(table, 1);
    struct mem_counts counts;
    mem_counts(table, &counts);
    assert_int_equal(counts.rows, 0);
    assert_int_equal(counts.series, 1);
    return (struct mem_prior){0, 10, true, true, kit_cells(w, table, row)};
}

static void versions_of(unsigned k)
{
    struct kit_words w;
    struct mem_prior prior = file_row(k, &w), none = {.series = 0, .time = 10};
    none.row.version = 9; /* means nothing in a row that was not found */
    uint64_t epoch = mem_epoch(table);
    int64_t existing;
    assert_int_equal(judge(row_of(k, 10, 6, 1), NULL, 0, NULL), MR_EAGAIN);
    assert_int_equal(judge(row_of(k, 10, 6, 1), &prior, epoch - 1, NULL), MR_EAGAIN);
    assert_int_equal(judge(row_of(k, 9, 6, 1), &prior, epoch, NULL), MR_EAGAIN);
    assert_int_equal(judge(row_of(k, 11, 6, 1), NULL, 0, NULL), MEM_STORED); /* files hold nothing so late */
    assert_int_equal(judge(row_of(k, 10, 1, 1), &none, epoch, &existing), MEM_STORED);
    assert_int_equal(existing, 0);
    assert_int_equal(judge(row_of(k, 10, 6, 1), &prior, epoch, &existing), MEM_STORED);
    assert_int_equal(existing, 5);
    assert_int_equal(judge(row_of(k, 10, 4, 7), &prior, epoch, &existing), MEM_REJECT_LOWER_VERSION);
    assert_int_equal(existing, 5);
    assert_int_equal(judge(row_of(k, 10, 5, 7), &prior, epoch, &existing), MEM_DUPLICATE);
    assert_int_equal(judge(row_of(k, 10, 5, 5), &prior, epoch, &existing), MEM_REJECT_SAME_VERSION);
    assert_int_equal(existing, 5);
    prior.whole = false; /* only equal versions need the cells */
    assert_int_equal(judge(row_of(k, 10, 6, 1), &prior, epoch, NULL), MEM_STORED);
    assert_int_equal(judge(row_of(k, 10, 4, 7), &prior, epoch, NULL), MEM_REJECT_LOWER_VERSION);
    assert_int_equal(judge(row_of(k, 10, 5, 7), &prior, epoch, NULL), MR_EAGAIN);
    /* A row in memory is judged by itself, whatever files hold. */
    assert_int_equal(kit_put(table, scratch, 2, row_of(k, 11, 8, 3)), MEM_STORED);
    assert_int_equal(judge(row_of(k, 11, 8, 3), NULL, 0, NULL), MEM_DUPLICATE);
}

static void test_versions_single(void **state)
{
    MR_UNUSED(state);
    versions_of(0);
}

static void test_versions_multi(void **state)
{
    MR_UNUSED(state);
    versions_of(1);
}

/* Every type of cell decides, and an attribute nobody has had. */
static void test_content_of_a_prior(void **state)
{
    MR_UNUSED(state);
    struct kit_words w, w2;
    assert_int_equal(kit_put(table, scratch, 1, row_of(1, 10, 5, 15)), MEM_STORED);
    mem_release(table, 1);
    uint64_t epoch = mem_epoch(table);
    struct mem_prior prior = {0, 10, true, true, kit_cells(&w, table, row_of(1, 10, 5, 15))};
    struct mem_cell cells[4];
    for (uint32_t i = 0; i < 4; i++) {
        memcpy(cells, prior.row.cells, sizeof cells);
        struct mem_prior other = prior;
        other.row.cells = cells;
        assert_int_equal(judge(row_of(1, 10, 5, 15), &other, epoch, NULL), MEM_DUPLICATE);
        if (cells[i].value.type == MEM_VARCHAR)
            cells[i].value.str.len--;
        else if (cells[i].value.type == MEM_BOOLEAN)
            cells[i].value.boolean = !cells[i].value.boolean;
        else
            cells[i].value.i64 ^= 1;
        assert_int_equal(judge(row_of(1, 10, 5, 15), &other, epoch, NULL), MEM_REJECT_SAME_VERSION);
    }
    struct mem_record r = kit_record(&w2, row_of(1, 10, 5, 15));
    w2.attrs[3].name = MR_STR("never seen");
    mem_batch_begin(table, scratch, 2, 0);
    mem_batch_priors(table, &prior, 1, epoch);
    check_ok(mem_batch_put(table, &r), NULL);
    assert_int_equal(r.outcome, MEM_REJECT_SAME_VERSION);
    mem_batch_abort(table);
}

/* What shadows a row in files is judged in memory, and undone it is in files again. */
static void test_a_row_that_shadows(void **state)
{
    MR_UNUSED(state);
    struct kit_words w, records[3];
    struct mem_prior prior = file_row(0, &w);
    static const struct {
        int64_t version;
        unsigned content;
        enum mem_outcome outcome;
    } steps[] = {{6, 1, MEM_STORED}, {6, 1, MEM_DUPLICATE}, {5, 7, MEM_REJECT_LOWER_VERSION}};
    for (int time = 0; time < 2; time++) {
        mem_batch_begin(table, scratch, 2, 0);
        mem_batch_priors(table, &prior, 1, mem_epoch(table));
        for (int i = 0; i < 3; i++) {
            struct mem_record r = kit_record(&records[i], row_of(0, 10, steps[i].version, steps[i].content));
            check_ok(mem_batch_put(table, &r), NULL);
            assert_int_equal(r.outcome, steps[i].outcome);
        }
        if (time == 0)
            mem_batch_abort(table);
        else
            mem_batch_commit(table, 2);
    }
    struct mem_counts counts;
    mem_counts(table, &counts);
    assert_int_equal(counts.rows, 1);
    assert_int_equal(judge(row_of(0, 10, 6, 1), NULL, 0, NULL), MEM_DUPLICATE);
}

/* A higher version with the content that was there is a row of its own, with its own LSN: a flush as of the
 * first must not take the second along, and must leave it in memory. */
static void test_version_alone(void **state)
{
    MR_UNUSED(state);
    struct kit_row rows[2];
    assert_int_equal(kit_put(table, scratch, 1, row_of(1, 10, 5, 7)), MEM_STORED);
    assert_int_equal(kit_put(table, scratch, 2, row_of(1, 10, 6, 7)), MEM_STORED);
    struct kit_reader *reader = kit_reader_open(table);
    assert_int_equal(kit_read(reader, table, 0, 0, 100, 1, rows, 2), 1);
    assert_int_equal(rows[0].version, 5);
    assert_int_equal(kit_read(reader, table, 0, 0, 100, 2, rows, 2), 1);
    assert_int_equal(rows[0].version, 6);
    mem_release(table, 1);
    assert_int_equal(kit_read(reader, table, 0, 0, 100, 1, rows, 2), 0);
    assert_int_equal(kit_read(reader, table, 0, 0, 100, 2, rows, 2), 1);
    assert_int_equal(rows[0].version, 6);
    kit_reader_close(reader);
    assert_int_equal(judge(row_of(1, 10, 5, 7), NULL, 0, NULL), MEM_REJECT_LOWER_VERSION);
}

static void test_wants(void **state)
{
    MR_UNUSED(state);
    static const struct kit_row rows[] = {
        {3, 0, 10, 4, 1},                                    /* in files, or so it may be */
        {3, 0, 10, 2, 1},                                    /* the same, less */
        {1, 0, 10, 9, 1}, {1, 0, 3, 1, 1}, {3, 0, 11, 1, 1}, /* above the file time */
        {3, 0, 9, 1, 1},                                     /* in memory */
        {5, 0, 1, 1, 1},                                     /* nothing of it was released */
        {7, 0, 1, 1, 1},                                     /* no such series */
        {3, 0, 10, 3, 1},
    };
    struct kit_words w[MR_ARRAY_LEN(rows)];
    struct mem_record records[MR_ARRAY_LEN(rows)];
    struct mem_want wants[MR_ARRAY_LEN(rows)];
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++)
        records[i] = kit_record(&w[i], rows[i]);
    assert_int_equal(mem_wants(table, records, MR_ARRAY_LEN(rows), wants), 0); /* an empty table */
    assert_int_equal(kit_put(table, scratch, 1, row_of(1, 10, 1, 1)), MEM_STORED);
    assert_int_equal(kit_put(table, scratch, 1, row_of(3, 10, 1, 1)), MEM_STORED);
    assert_int_equal(mem_wants(table, records, MR_ARRAY_LEN(rows), wants), 0); /* all in memory */
    mem_release(table, 1);
    assert_int_equal(kit_put(table, scratch, 2, row_of(5, 2, 1, 1)), MEM_STORED);
    mem_batch_begin(table, scratch, 3, 0);
    struct mem_prior none = {.series = 1, .time = 9};
    mem_batch_priors(table, &none, 1, mem_epoch(table));
    struct kit_words late;
    struct mem_record r = kit_record(&late, row_of(3, 9, 1, 1));
    check_ok(mem_batch_put(table, &r), NULL);
    mem_batch_commit(table, 3);
    size_t count = mem_wants(table, records, MR_ARRAY_LEN(rows), wants);
    static const struct mem_want expected[] = {{0, 3, 1}, {0, 10, 9}, {1, 10, 2}};
    assert_int_equal(count, MR_ARRAY_LEN(expected));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(wants[i].series, expected[i].series);
        assert_int_equal(wants[i].time, expected[i].time);
        assert_int_equal(wants[i].version, expected[i].version);
    }
}

/* The numbers of columns that a batch made and took back go to others, of other types. */
static void test_undone_columns_come_back_otherwise(void **state)
{
    MR_UNUSED(state);
    struct kit_words w;
    struct kit_row rows[3];
    assert_int_equal(kit_put(table, scratch, 1, row_of(1, 10, 1, 8)), MEM_STORED);
    assert_int_equal(kit_put(table, scratch, 1, row_of(1, 30, 1, 8)), MEM_STORED);
    for (int replace = 0; replace < 2; replace++) { /* `a` and `b` were columns for a moment */
        struct mem_record r = kit_record(&w, row_of(1, replace ? 10 : 20, 2, 11));
        mem_batch_begin(table, scratch, 2, 0);
        check_ok(mem_batch_put(table, &r), NULL);
        mem_batch_abort(table);
    }
    assert_int_equal(kit_put(table, scratch, 2, row_of(1, 20, 1, 10)),
                     MEM_STORED); /* `b` under the number of `a` */
    assert_int_equal(kit_put(table, scratch, 3, row_of(1, 20, 2, 15)), MEM_STORED);
    assert_int_equal(judge(row_of(1, 20, 2, 15), NULL, 0, NULL), MEM_DUPLICATE);
    struct kit_reader *reader = kit_reader_open(table);
    assert_int_equal(kit_read(reader, table, 0, 0, 100, 3, rows, 3), 3);
    assert_int_equal(rows[0].content, 8);
    assert_int_equal(rows[1].content, 15);
    assert_int_equal(rows[2].content, 8);
    kit_reader_close(reader);
}

/* Whatever allocation fails: undone, nothing is left of the batch. */
static void test_batches_without_memory(void **state)
{
    MR_UNUSED(state);
    static const struct kit_row rows[] = {
        {1, 0, 10, 2, 15}, /* over another, with columns that are new to its chunk */
        {1, 0, 10, INT64_MAX, 15},
        {1, 0, 20, 2, 11},
        {2, 0, 20, 2, 1},
    };
    assert_int_equal(kit_put(table, scratch, 1, row_of(1, 10, 1, 8)), MEM_STORED);
    struct mem_counts before, after;
    mem_counts(table, &before);
    int rc = MR_ENOMEM;
    for (unsigned n = 1; rc != MR_OK; n++) {
        mem_scratch_free(scratch);
        scratch = mem_scratch_new();
        mem_batch_begin(table, scratch, 2, 0);
        fault_alloc(n);
        rc = MR_OK;
        for (size_t i = 0; i < MR_ARRAY_LEN(rows) && rc == MR_OK; i++) {
            struct kit_words w;
            struct mem_record r = kit_record(&w, rows[i]);
            rc = mem_batch_put(table, &r);
        }
        assert_true(rc == MR_ENOMEM || rc == MR_OK);
        fault_alloc(0);
        mem_batch_abort(table);
        mem_counts(table, &after);
        assert_true(after.rows == 1 && after.series == 1 && after.replaced == 0);
        assert_int_equal(after.next_series, before.next_series);
        struct kit_reader *reader = kit_reader_open(table);
        struct kit_row row;
        assert_int_equal(kit_read(reader, table, 0, 0, 100, 5, &row, 1), 1);
        assert_true(row.version == 1 && row.content == 8);
        kit_reader_close(reader);
        assert_true(n < 500);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)
    const struct CMUnitTest tests[] = {TEST(test_versions_single),
                                       TEST(test_versions_multi),
                                       TEST(test_content_of_a_prior),
                                       TEST(test_a_row_that_shadows),
                                       TEST(test_version_alone),
                                       TEST(test_wants),
                                       TEST(test_undone_columns_come_back_otherwise),
                                       TEST(test_batches_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
