#include "rows_kit.h"

#include "lib/check.h"
#include "lib/dir.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const uint32_t kit_columns[KIT_COLUMNS] = {3, 4, 7, 9, 10, 64, 1000, 4000000000};
const enum magstore_type kit_types[KIT_COLUMNS] = {
    MAGSTORE_DOUBLE,    MAGSTORE_BIGINT, MAGSTORE_VARCHAR, MAGSTORE_BOOLEAN,
    MAGSTORE_TIMESTAMP, MAGSTORE_DOUBLE, MAGSTORE_VARCHAR, MAGSTORE_BIGINT,
};

void kit_free(struct kit_model *m)
{
    mr_free(m->rows);
    mr_arena_release(&m->texts);
    *m = (struct kit_model){0};
}

struct kit_row *kit_append(struct kit_model *m, uint32_t series, int64_t time, int64_t version)
{
    assert_int_equal(mr_grow((void **)&m->rows, &m->cap, m->count + 1, sizeof *m->rows), MR_OK);
    struct kit_row *row = &m->rows[m->count++];
    memset(row, 0, sizeof *row);
    row->series = series;
    row->time = time;
    row->version = version;
    row->order = m->count;
    return row;
}

void kit_copy(struct kit_model *m, const struct kit_model *from, size_t at, size_t n)
{
    for (size_t i = at; i < at + n; i++) {
        struct kit_row *row = kit_append(m, 0, 0, 0);
        size_t order = row->order;
        *row = from->rows[i];
        row->order = order;
    }
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static uint64_t any_double(struct mr_rng *rng)
{
    switch (mr_rng_below(rng, 12)) {
    case 0:
        return bits_of(-0.0);
    case 1:
        return UINT64_C(0x7FF8000000000000) | mr_rng_below(rng, 1000); /* NaN with a payload */
    case 2:
        return UINT64_C(0xFFF0000000000001) + mr_rng_below(rng, 9);
    case 3:
        return bits_of(mr_rng_below(rng, 2) ? (double)INFINITY : 5e-324);
    case 4:
        return mr_rng_next(rng);
    default:
        return bits_of(round(mr_rng_unit(rng) * 10000) / 100);
    }
}

static uint64_t any_integer(struct mr_rng *rng)
{
    switch (mr_rng_below(rng, 8)) {
    case 0:
        return (uint64_t)INT64_MIN;
    case 1:
        return (uint64_t)INT64_MAX;
    case 2:
        return mr_rng_next(rng);
    default:
        return mr_rng_below(rng, 1000) - 500;
    }
}

static struct mr_str any_text(struct kit_model *m, struct mr_rng *rng)
{
    switch (mr_rng_below(rng, 6)) {
    case 0:
        return MR_STR("");
    case 1:
        return mr_arena_printf(&m->texts, "%0*d", (int)mr_rng_below(rng, 2000) + 1, 7);
    case 2:
        return mr_arena_printf(&m->texts, "nonce %016llx", (unsigned long long)mr_rng_next(rng));
    default:
        return mr_arena_printf(&m->texts, "state %d", (int)mr_rng_below(rng, 4));
    }
}

void kit_fill(struct kit_model *m, struct kit_row *row, struct mr_rng *rng)
{
    for (size_t i = 0; i < KIT_COLUMNS; i++) {
        struct kit_cell *c = &row->cells[i];
        c->set = mr_rng_below(rng, 8) > i; /* the first never NULL, the last most often */
        if (!c->set)
            continue;
        if (kit_types[i] == MAGSTORE_DOUBLE)
            c->bits = any_double(rng);
        else if (kit_types[i] == MAGSTORE_VARCHAR)
            c->text = any_text(m, rng);
        else if (kit_types[i] == MAGSTORE_BOOLEAN)
            c->bits = mr_rng_below(rng, 2);
        else
            c->bits = any_integer(rng);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct kit_row *x = a, *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->version != y->version)
        return x->version > y->version ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

void kit_settle(struct kit_model *m)
{
    struct kit_row *sorted = malloc((m->count + 1) * sizeof *sorted);
    assert_non_null(sorted);
    if (m->count != 0)
        qsort(m->rows, m->count, sizeof *m->rows, by_place);
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++)
        if (n == 0 || sorted[n - 1].series != m->rows[i].series || sorted[n - 1].time != m->rows[i].time)
            sorted[n++] = m->rows[i];
    if (n != 0)
        memcpy(m->rows, sorted, n * sizeof *sorted);
    m->count = n;
    free(sorted);
}

void kit_open(struct kit_place *kit)
{
    struct mr_error err = MR_ERROR_INIT;
    kit->dir = dir_make();
    kit->place = (struct magstore_place){
        .io = &mr_io_posix, .dir = kit->dir, .database = 11, .table = 22, .number = 33};
    check_ok(seal_keyring_open(&mr_io_posix, kit->dir, &kit->place.keyring, &err), &err);
}

void kit_close(struct kit_place *kit)
{
    seal_keyring_close(kit->place.keyring);
    dir_remove(kit->dir);
}

/* Columns of the rows being viewed. */
struct columns {
    int64_t times[MAGSTORE_BLOCK_ROWS], versions[MAGSTORE_BLOCK_ROWS];
    uint64_t words[KIT_COLUMNS][MAGSTORE_BLOCK_ROWS];
    struct mr_str texts[KIT_COLUMNS][MAGSTORE_BLOCK_ROWS];
    uint8_t bytes[KIT_COLUMNS][MAGSTORE_BLOCK_ROWS], valid[KIT_COLUMNS][MAGSTORE_BLOCK_ROWS];
    struct magstore_values values[KIT_COLUMNS];
};

static void view_column(struct columns *c, size_t i, const struct kit_row *rows, size_t n, bool whole_nulls)
{
    bool any = false, all = true;
    for (size_t r = 0; r < n; r++) {
        const struct kit_cell *cell = &rows[r].cells[i];
        c->valid[i][r] = cell->set;
        c->words[i][r] = cell->set ? cell->bits : 0xDEADBEEF; /* never looked at */
        c->bytes[i][r] = (uint8_t)cell->bits;
        c->texts[i][r] = cell->text;
        any = any || cell->set;
        all = all && cell->set;
    }
    struct magstore_values *v = &c->values[i];
    v->column = kit_columns[i];
    v->type = any || !whole_nulls ? kit_types[i] : MAGSTORE_NONE;
    v->valid = all && whole_nulls ? NULL : c->valid[i];
    v->values = v->type == MAGSTORE_NONE      ? NULL
                : v->type == MAGSTORE_VARCHAR ? (const void *)c->texts[i]
                : v->type == MAGSTORE_BOOLEAN ? (const void *)c->bytes[i]
                                              : (const void *)c->words[i];
}

void kit_view(const struct kit_model *m, size_t at, size_t n, bool whole_nulls, struct magstore_rows *out)
{
    static struct columns c;
    const struct kit_row *rows = m->rows + at;
    bool versioned = !whole_nulls;
    assert_true(n <= MAGSTORE_BLOCK_ROWS);
    for (size_t r = 0; r < n; r++) {
        c.times[r] = rows[r].time;
        c.versions[r] = rows[r].version;
        versioned = versioned || rows[r].version != 1;
    }
    for (size_t i = 0; i < KIT_COLUMNS; i++)
        view_column(&c, i, rows, n, whole_nulls);
    *out = (struct magstore_rows){n, c.times, versioned ? c.versions : NULL, c.values, KIT_COLUMNS};
}

int kit_add(struct magstore_writer *writer, const struct kit_model *m, struct mr_rng *rng,
            struct mr_error *err)
{
    int status = MR_OK;
    for (size_t at = 0, n; status == MR_OK && at < m->count; at += n) {
        size_t most = mr_rng_below(rng, 4) == 0 ? MAGSTORE_BLOCK_ROWS : 1 + mr_rng_below(rng, 200);
        struct magstore_rows rows;
        for (n = 1; n < most && at + n < m->count && m->rows[at + n].series == m->rows[at].series;)
            n++;
        kit_view(m, at, n, mr_rng_below(rng, 2) == 0, &rows);
        status = magstore_writer_add(writer, m->rows[at].series, &rows, err);
    }
    return status;
}

void kit_write(const struct magstore_place *place, const struct kit_model *m, struct mr_rng *rng,
               struct magstore_info *out)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_writer *writer;
    check_ok(magstore_writer_open(place, &writer, &err), &err);
    check_ok(kit_add(writer, m, rng, &err), &err);
    assert_int_equal(magstore_writer_rows(writer), m->count);
    check_ok(magstore_writer_finish(writer, out, &err), &err);
}

bool kit_same(const struct magstore_values *v, size_t row, const struct kit_cell *cell)
{
    bool set = v->type != MAGSTORE_NONE && (v->valid == NULL || v->valid[row] != 0);
    if (!set || !cell->set)
        return set == cell->set;
    if (v->type == MAGSTORE_VARCHAR)
        return mr_str_eq(((const struct mr_str *)v->values)[row], cell->text);
    if (v->type == MAGSTORE_BOOLEAN)
        return ((const uint8_t *)v->values)[row] == cell->bits;
    return ((const uint64_t *)v->values)[row] == cell->bits;
}

/* Compares the block's rows, which begin with `rows`. */
static void compare_block(struct magstore_page *page, const struct kit_row *rows, uint32_t count)
{
    struct mr_error err = MR_ERROR_INIT;
    uint32_t nruns, at = 0;
    const struct magstore_run *runs = magstore_page_runs(page, &nruns);
    const int64_t *times = magstore_page_times(page), *versions;
    check_ok(magstore_page_versions(page, &versions, &err), &err);
    for (uint32_t i = 0; i < nruns; i++) {
        assert_int_equal(runs[i].first, at);
        for (uint32_t r = 0; r < runs[i].rows; r++, at++) {
            assert_int_equal(rows[at].series, runs[i].series);
            assert_int_equal(rows[at].time, times[at]);
            assert_int_equal(rows[at].version, versions != NULL ? versions[at] : 1);
        }
    }
    assert_int_equal(at, count);
    for (size_t i = 0; i < KIT_COLUMNS; i++) {
        struct magstore_values v;
        check_ok(magstore_page_column(page, kit_columns[i], &v, &err), &err);
        assert_int_equal(v.column, kit_columns[i]);
        for (uint32_t r = 0; r < count; r++)
            assert_true(kit_same(&v, r, &rows[r].cells[i]));
    }
}

void kit_compare(const struct magstore_reader *reader, const struct kit_model *m)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_page *page;
    const struct magstore_info *info = magstore_reader_info(reader);
    size_t at = 0;
    assert_int_equal(info->rows, m->count);
    assert_int_equal(magstore_page_new(&page), MR_OK);
    for (uint32_t i = 0; i < info->blocks; i++) {
        check_ok(magstore_page_load(page, reader, i, &err), &err);
        compare_block(page, m->rows + at, magstore_reader_block(reader, i)->rows);
        at += magstore_reader_block(reader, i)->rows;
    }
    assert_int_equal(at, m->count);
    magstore_page_free(page);
}
