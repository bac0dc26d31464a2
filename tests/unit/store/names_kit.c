#include "unit/store/names_kit.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 100

void names_kit_open(struct names_kit *kit)
{
    *kit = (struct names_kit){.lsn = 0};
    assert_int_equal(mem_table_open(&kit->budget, &kit->mem), MR_OK);
    kit->scratch = mem_scratch_new();
    assert_non_null(kit->scratch);
}

void names_kit_close(struct names_kit *kit)
{
    mem_scratch_free(kit->scratch);
    mem_table_close(kit->mem);
}

/* The record of a batch at place `k`; within a batch, other dimensions lie at another address. */
static void put_one(struct names_kit *kit, unsigned k, unsigned family, unsigned n, unsigned measures,
                    unsigned attributes, int64_t time)
{
    static char host[BATCH][32], region[BATCH][32], rack[BATCH][32];
    static struct mr_pair dims[BATCH][3];
    char measure[32], attribute[32];
    snprintf(host[k], sizeof host[k], "host-%u-%08x", family, n * 2654435761u);
    snprintf(region[k], sizeof region[k], "region-%u", n % 20);
    snprintf(rack[k], sizeof rack[k], "r%u", n % 500);
    snprintf(measure, sizeof measure, "cpu-%u", n % measures);
    snprintf(attribute, sizeof attribute, "load-%u", n % attributes);
    dims[k][0] = (struct mr_pair){MR_STR("host"), mr_str_of(host[k])};
    dims[k][1] = (struct mr_pair){MR_STR("region"), mr_str_of(region[k])};
    dims[k][2] = (struct mr_pair){MR_STR("xrack"), mr_str_of(rack[k])};
    struct mem_attr attr = {mr_str_of(attribute), {.type = MEM_DOUBLE, .f64 = 1.5}};
    struct mem_record record = {.dims = dims[k],
                                .ndims = n % 3 == 0 ? 3 : 2,
                                .nattrs = 1,
                                .attrs = &attr,
                                .measure_name = mr_str_of(measure),
                                .type = MEM_MULTI,
                                .time = time,
                                .version = 1};
    assert_int_equal(mem_batch_put(kit->mem, &record), MR_OK);
    assert_int_equal(record.outcome, MEM_STORED);
}

static void begin(struct names_kit *kit)
{
    kit->lsn++;
    mem_write_lock(kit->mem);
    mem_batch_begin(kit->mem, kit->scratch, kit->lsn, kit->lsn - 1);
}

static void commit(struct names_kit *kit)
{
    mem_batch_commit(kit->mem, kit->lsn);
    mem_write_unlock(kit->mem);
}

void names_kit_put(struct names_kit *kit, unsigned family, unsigned n, unsigned measures, unsigned attributes,
                   int64_t time)
{
    begin(kit);
    put_one(kit, 0, family, n, measures, attributes, time);
    commit(kit);
}

void names_kit_fill(struct names_kit *kit, unsigned family, unsigned from, unsigned to, int64_t time)
{
    for (unsigned n = from; n < to;) {
        begin(kit);
        for (unsigned k = 0; k < BATCH && n < to; k++, n++)
            put_one(kit, k, family, n, 5, 3, time);
        commit(kit);
    }
}

static void check_same_schema(const struct mem_schema *a, const struct mem_schema *b)
{
    assert_int_equal(a->ncolumns, b->ncolumns);
    for (uint32_t i = 0; i < a->ncolumns; i++) {
        assert_true(mr_str_eq(a->columns[i].name, b->columns[i].name));
        assert_true(a->columns[i].type == b->columns[i].type && a->columns[i].role == b->columns[i].role);
    }
    assert_int_equal(a->nmeasures, b->nmeasures);
    for (uint32_t i = 0; i < a->nmeasures; i++) {
        assert_true(mr_str_eq(a->measures[i].name, b->measures[i].name));
        assert_int_equal(a->measures[i].type, b->measures[i].type);
    }
}

static void check_same_series(const struct mem_table *a, const struct mem_table *b, uint32_t series)
{
    struct mem_dim da[MEM_MAX_DIMENSIONS], db[MEM_MAX_DIMENSIONS];
    uint32_t ma = 0, mb = 0, na = 0, nb = 0;
    bool there = mem_series_key(a, series, &ma, da, &na);
    assert_int_equal(mem_series_key(b, series, &mb, db, &nb), there);
    if (!there)
        return;
    assert_true(ma == mb && na == nb);
    for (uint32_t i = 0; i < na; i++)
        assert_true(da[i].column == db[i].column && mr_str_eq(da[i].value, db[i].value));
}

void names_kit_check_same(const struct mem_table *a, const struct mem_table *b)
{
    struct mem_schema sa, sb;
    struct mem_counts ca, cb;
    mem_schema_view(a, &sa);
    mem_schema_view(b, &sb);
    check_same_schema(&sa, &sb);
    mem_counts(a, &ca);
    mem_counts(b, &cb);
    assert_int_equal(ca.next_series, cb.next_series);
    assert_int_equal(ca.series, cb.series);
    for (uint32_t series = 0; series < ca.next_series; series++)
        check_same_series(a, b, series);
}
