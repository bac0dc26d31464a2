/* A chunk through its shapes, and what a late row costs: neither the number of chunks nor their order may
 * suffer. */
#include "memstore/table.h"

#include "base/rand.h"
#include "lib/check.h"

#include <stdlib.h>

static struct mem_budget budget;
static struct mem_heap heap = {.budget = &budget};

static struct chunk_need need_of(const struct mem_cell *cells, uint32_t ncells, uint64_t lsn, int64_t version)
{
    return (struct chunk_need){cells, ncells, 1, lsn, version};
}

static void test_widths_of_lsn_and_version(void **state)
{
    MR_UNUSED(state);
    static const uint64_t lsns[] = {
        7, 7, 8, 7 + (UINT64_C(1) << 20), 7 + (UINT64_C(1) << 40), UINT64_MAX - 1};
    static const int64_t versions[] = {9, 9, 10, 1, INT64_MAX, 1};
    struct mem_cell cell = {4, {.type = MEM_DOUBLE, .f64 = 0}};
    struct chunk_need need = need_of(&cell, 1, lsns[0], versions[0]);
    struct mem_chunk *c = chunk_new(&heap, &need, 1);
    assert_non_null(c);
    for (uint32_t i = 0; i < MR_ARRAY_LEN(lsns); i++) {
        need = need_of(&cell, 1, lsns[i], versions[i]);
        union mem_bits bits = {.f64 = i};
        assert_int_equal(chunk_fit(&heap, &c, &need, MEM_CHUNK_ROWS), MR_OK);
        chunk_insert(c, c->rows, 100 + i, &need, &bits);
        for (uint32_t row = 0; row <= i; row++) {
            assert_true(chunk_lsn(c, row) == lsns[row]);
            assert_true(chunk_version(c, row) == versions[row]);
            assert_true(((const double *)chunk_values(c, &c->cols[0]))[row] == row);
        }
        if (i == 1) {
            assert_int_equal(c->lsn_width, 0); /* one commit, one version: nothing a row */
            assert_int_equal(c->version_width, 0);
        }
        if (i == 3)
            assert_int_equal(c->lsn_width, 4);
    }
    assert_int_equal(c->lsn_width, 8);
    assert_int_equal(c->version_width, 8);
    struct mem_chunk *upper = chunk_split(&heap, c, 4);
    assert_non_null(upper);
    assert_int_equal(c->rows, 4);
    assert_int_equal(upper->rows, 2);
    assert_true(chunk_lsn(upper, 1) == lsns[5] && chunk_version(upper, 0) == versions[4]);
    chunk_free(&heap, c);
    chunk_free(&heap, upper);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

/* Rows leave from everywhere; what stays keeps its LSN, version and content, and the widths stay narrow. */
static void test_rows_up_to_an_lsn(void **state)
{
    MR_UNUSED(state);
    enum { COUNT = 100 };
    struct mem_cell cells[] = {
        {4, {.type = MEM_BIGINT}}, {5, {.type = MEM_BOOLEAN}}, {6, {.type = MEM_VARCHAR}}};
    struct chunk_need need = need_of(cells, 3, 1000, 1);
    struct mem_chunk *c = chunk_new(&heap, &need, 1);
    assert_non_null(c);
    uint64_t far = 1000 + (UINT64_C(1) << 30);
    for (uint32_t i = 0; i < COUNT; i++) {
        need = need_of(cells, i % 2 == 0 ? 3 : 2, i % 7 < 3 ? 1000 + i : far + i, i % 3);
        union mem_bits bits[] = {{.i64 = i}, {.boolean = i % 2}, {.text = NULL}};
        if (i % 2 == 0)
            bits[2].text = text_new(&heap, MR_STR("a text"));
        assert_int_equal(chunk_fit(&heap, &c, &need, MEM_CHUNK_ROWS), MR_OK);
        chunk_insert(c, c->rows, i, &need, bits);
    }
    int64_t newest = 5;
    chunk_remove_upto(&heap, c, 999, &newest);
    assert_true(c->rows == COUNT && newest == 5);
    chunk_remove_upto(&heap, c, 1000 + COUNT, &newest);
    assert_int_equal(newest, COUNT - 1);
    uint32_t row = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i % 7 < 3)
            continue;
        assert_true(chunk_time(c)[row] == i && chunk_lsn(c, row) == far + i &&
                    chunk_version(c, row) == i % 3);
        assert_true(((const int64_t *)chunk_values(c, &c->cols[0]))[row] == i);
        assert_true(((const uint8_t *)chunk_values(c, &c->cols[1]))[row] == i % 2);
        assert_int_equal(chunk_valid(c, &c->cols[2])[row], i % 2 == 0);
        row++;
    }
    assert_int_equal(c->rows, row);
    assert_true(c->lsn_base == 1001 + COUNT && c->lsn_max == far + 97 && c->lsn_width == 4);
    newest = INT64_MAX;
    chunk_remove_upto(&heap, c, far + 90, &newest);
    assert_true(newest == INT64_MAX && chunk_time(c)[0] == 94);
    uint32_t cap = c->cap, size = c->size;
    chunk_shrink(&heap, &c);
    assert_true(c->cap * 4 <= cap && c->size * 2 < size && c->cap >= c->rows);
    assert_true(chunk_time(c)[0] == 94 && chunk_lsn(c, 0) == far + 94 && c->lsn_base == far + 91);
    chunk_remove_upto(&heap, c, UINT64_MAX, &newest);
    assert_int_equal(c->rows, 0);
    chunk_free(&heap, c);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

static void test_columns_taken_out(void **state)
{
    MR_UNUSED(state);
    struct mem_cell cells[] = {
        {4, {.type = MEM_BIGINT}}, {8, {.type = MEM_DOUBLE}}, {9, {.type = MEM_BOOLEAN}}};
    struct chunk_need need = need_of(cells, 1, 7, 1);
    struct mem_chunk *c = chunk_new(&heap, &need, 4);
    assert_non_null(c);
    for (uint32_t i = 0; i < 4; i++) {
        need = need_of(cells, 1, 7 + i, 1 + i);
        union mem_bits bits = {.i64 = i};
        assert_int_equal(chunk_fit(&heap, &c, &need, MEM_CHUNK_ROWS), MR_OK);
        chunk_insert(c, i, i, &need, &bits);
    }
    need = need_of(cells, 3, 20, 20);
    assert_int_equal(chunk_fit(&heap, &c, &need, MEM_CHUNK_ROWS), MR_OK);
    assert_int_equal(c->ncols, 3);
    chunk_drop_columns(c, 10);
    assert_int_equal(c->ncols, 3);
    chunk_drop_columns(c, 8);
    assert_int_equal(c->ncols, 1);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(chunk_time(c)[i] == i && chunk_lsn(c, i) == 7 + i && chunk_version(c, i) == 1 + i);
        assert_true(((const int64_t *)chunk_values(c, &c->cols[0]))[i] == i);
    }
    chunk_free(&heap, c);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

/* ---- series
 * ---------------------------------------------------------------------------------------------------- */

enum { ROWS = 20000 };

static struct mem_table *new_series(void)
{
    struct mem_table *t;
    struct mem_dim dim = {2, MR_STR("a")};
    check_ok(mem_table_open(&budget, &t), NULL);
    check_ok(mem_load_column(t, 2, MEM_DIMENSION, MEM_VARCHAR, MR_STR("host")), NULL);
    check_ok(mem_load_column(t, 3, MEM_MEASURE_VALUE, MEM_BIGINT, MR_STR("measure_value::bigint")), NULL);
    check_ok(mem_load_measure(t, 0, MEM_BIGINT, MR_STR("m")), NULL);
    check_ok(mem_load_series(t, 0, 0, &dim, 1), NULL);
    return t;
}

static void load(struct mem_table *t, int64_t time)
{
    struct mem_cell cell = {3, {.type = MEM_BIGINT, .i64 = time * 3}};
    struct mem_row row = {0, 1, time, 1, &cell};
    check_ok(mem_load_row(t, &row, 1), NULL);
}

/* All rows 0..ROWS-1 are there, in order, in at most `most` chunks none of which is empty. */
static void check_series(struct mem_table *t, uint32_t most)
{
    const struct mem_series *s = mem_pages_get(&t->series, 0);
    int64_t next = 0;
    if (s->nruns > most)
        fail_msg("%u chunks, more than %u", s->nruns, most);
    for (uint32_t run = 0; run < s->nruns; run++) {
        const struct mem_chunk *c = series_chunk(s, run);
        assert_true(c->rows > 0 && c->rows <= MEM_CHUNK_ROWS);
        assert_true(s->many[run].first == chunk_time(c)[0]);
        for (uint32_t row = 0; row < c->rows; row++, next++) {
            assert_true(chunk_time(c)[row] == next);
            assert_true(((const int64_t *)chunk_values(c, &c->cols[0]))[row] == next * 3);
        }
    }
    assert_int_equal(next, ROWS);
    mem_table_close(t);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

static void test_rows_in_every_order(void **state)
{
    MR_UNUSED(state);
    const uint32_t full = ROWS / MEM_CHUNK_ROWS + 1;
    struct mem_table *t = new_series();
    for (int64_t i = 0; i < ROWS; i++) /* forwards: full chunks */
        load(t, i);
    check_series(t, full);

    t = new_series();
    for (int64_t i = ROWS - 1; i >= 0; i--) /* backwards: likewise */
        load(t, i);
    check_series(t, full);

    t = new_series();
    for (int64_t i = 0; i < ROWS / 4; i++)
        load(t, i);
    for (int64_t i = ROWS / 2; i < ROWS; i++)
        load(t, i);
    for (int64_t i = ROWS / 2 - 1; i >= ROWS / 4; i--) /* a gap filled backwards: its chunks half full */
        load(t, i);
    check_series(t, full + full / 4 + 2);

    t = new_series();
    for (int64_t i = 0; i < ROWS; i++) /* two interleaved streams, one late */
        load(t, i % 2 == 0 ? i / 2 : ROWS / 2 + i / 2);
    check_series(t, 2 * full + 4);

    static int64_t shuffled[ROWS];
    struct mr_rng rng = {11};
    for (int64_t i = 0; i < ROWS; i++) {
        int64_t k = (int64_t)mr_rng_below(&rng, (uint64_t)i + 1);
        shuffled[i] = shuffled[k];
        shuffled[k] = i;
    }
    t = new_series();
    for (int64_t i = 0; i < ROWS; i++) /* any order: chunks about 70 % full */
        load(t, shuffled[i]);
    check_series(t, 2 * full + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths_of_lsn_and_version), cmocka_unit_test(test_rows_up_to_an_lsn),
        cmocka_unit_test(test_columns_taken_out), cmocka_unit_test(test_rows_in_every_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
