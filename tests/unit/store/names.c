/* Files of names: what is written comes back, in one file or several, with gaps, while others write. */
#include "lib/dir.h"
#include "unit/store/names_kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DAY INT64_C(86400000000000)

struct world {
    char *dir;
    struct seal_keyring *keyring;
    struct names_kit from, to;
    struct magstore_file files[40];
    uint32_t columns, measures, series; /* where the next file begins */
    size_t nfiles;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct mr_error err = MR_ERROR_INIT;
    assert_non_null(w);
    w->dir = dir_make();
    check_ok(seal_keyring_open(&mr_io_posix, w->dir, &w->keyring, &err), &err);
    names_kit_open(&w->from);
    names_kit_open(&w->to);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    names_kit_close(&w->from);
    names_kit_close(&w->to);
    seal_keyring_close(w->keyring);
    dir_remove(w->dir);
    free(w);
    return 0;
}

/* The next file of the table. */
static void write_next(struct world *w)
{
    struct mr_error err = MR_ERROR_INIT;
    assert_true(w->nfiles < MR_ARRAY_LEN(w->files));
    check_ok(names_write(&mr_io_posix, w->dir, w->keyring, NAMES_DATABASE, NAMES_TABLE, w->nfiles + 1,
                         w->from.mem, w->columns, w->measures, w->series, &w->files[w->nfiles], &w->columns,
                         &w->measures, &w->series, &err),
             &err);
    w->nfiles++;
}

static void read_all(struct world *w, int64_t file_time)
{
    for (size_t i = 0; i < w->nfiles; i++) {
        struct mr_error err = MR_ERROR_INIT;
        check_ok(names_read(&mr_io_posix, w->dir, w->keyring, &w->files[i], w->to.mem, file_time, &err),
                 &err);
    }
}

static void a_table_without_rows(void **state)
{
    struct world *w = *state;
    write_next(w);
    assert_true(w->columns == 2 && w->measures == 0 && w->series == 0);
    assert_true(w->files[0].kind == MAGSTORE_NAMES && w->files[0].rows == 0);
    assert_true(w->files[0].first_series > w->files[0].last_series);
    assert_true(w->files[0].time_min > w->files[0].time_max);
    read_all(w, 0);
    names_kit_check_same(w->from.mem, w->to.mem);
}

static void one_file(void **state)
{
    struct world *w = *state;
    names_kit_fill(&w->from, 1, 0, 1000, DAY);
    write_next(w);
    const struct magstore_file *f = &w->files[0];
    assert_true(w->columns == 2 + 3 + 3 && w->measures == 5 && w->series == 1000);
    assert_true(f->number == 1 && f->database == NAMES_DATABASE && f->table == NAMES_TABLE);
    assert_true(f->rows == 1000 && f->first_series == 0 && f->last_series == 999 && f->key_generation == 1);
    read_all(w, 0);
    names_kit_check_same(w->from.mem, w->to.mem);
}

static void several_files(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < 10; i++) {
        if (i != 4) /* the fifth file has nothing new */
            names_kit_fill(&w->from, i, 0, 1 + i * 50, DAY);
        for (unsigned k = 0; k < i; k++) /* more columns and measure names */
            names_kit_put(&w->from, 100 + i, k, 7 + i, 4 + i, DAY);
        write_next(w);
    }
    read_all(w, 0);
    names_kit_check_same(w->from.mem, w->to.mem);
}

/* Values long enough that a frame holds few series. */
static void large_series(void **state)
{
    struct world *w = *state;
    static char text[60][2048];
    static char names[60][8];
    struct mr_pair dims[60];
    struct mem_attr attr = {MR_STR("v"), {.type = MEM_BIGINT, .i64 = 5}};
    for (unsigned n = 0; n < 200; n++) {
        for (unsigned d = 0; d < 60; d++) {
            snprintf(names[d], sizeof names[d], "d%02u", d);
            memset(text[d], (int)('a' + (n + d) % 26), sizeof text[d]);
            memcpy(text[d], &n, sizeof n);
            dims[d] = (struct mr_pair){mr_str_of(names[d]), {text[d], sizeof text[d]}};
        }
        struct mem_record r = {.dims = dims,
                               .ndims = 60,
                               .nattrs = 1,
                               .attrs = &attr,
                               .measure_name = MR_STR("m"),
                               .type = MEM_BIGINT,
                               .time = DAY,
                               .version = 1};
        w->from.lsn++;
        mem_write_lock(w->from.mem);
        mem_batch_begin(w->from.mem, w->from.scratch, w->from.lsn, w->from.lsn - 1);
        assert_int_equal(mem_batch_put(w->from.mem, &r), MR_OK);
        mem_batch_commit(w->from.mem, w->from.lsn);
        mem_write_unlock(w->from.mem);
    }
    write_next(w);
    assert_int_equal(w->files[0].rows, 200);
    read_all(w, 0);
    names_kit_check_same(w->from.mem, w->to.mem);
}

/* Series that expired leave gaps, also at the end; they do not come back, and their numbers are not given
 * out again. */
static void gaps(void **state)
{
    struct world *w = *state;
    for (unsigned n = 0; n < 3000; n++)
        names_kit_put(&w->from, 1, n, 5, 3, n % 7 < 3 || n > 2900 ? DAY : 3 * DAY);
    mem_evict(w->from.mem, 2 * DAY, w->from.lsn);
    write_next(w);
    assert_int_equal(w->series, 3000);
    assert_true(w->files[0].rows < 2000 && w->files[0].last_series == 2999);
    names_kit_fill(&w->from, 2, 0, 100, 3 * DAY);
    write_next(w);
    assert_true(w->files[1].first_series == 3000 && w->files[1].last_series == 3099);
    names_kit_fill(&w->from, 3, 0, 10, DAY); /* the last numbers of all are gone at once */
    mem_evict(w->from.mem, 2 * DAY, w->from.lsn);
    write_next(w);
    assert_true(w->files[2].rows == 0 && w->files[2].last_series == 3109 && w->series == 3110);
    read_all(w, 3 * DAY);
    names_kit_check_same(w->from.mem, w->to.mem);
}

/* Series from files live as long as their files may have rows. */
static void the_file_time(void **state)
{
    struct world *w = *state;
    names_kit_fill(&w->from, 1, 0, 500, DAY);
    write_next(w);
    read_all(w, 2 * DAY);
    struct mem_counts counts;
    mem_evict(w->to.mem, 2 * DAY, 1);
    mem_counts(w->to.mem, &counts);
    assert_int_equal(counts.series, 500);
    mem_evict(w->to.mem, 2 * DAY + 1, 1);
    mem_counts(w->to.mem, &counts);
    assert_true(counts.series == 0 && counts.next_series == 500);
    /* What the log has after the files has no file: without rows it is not kept. */
    mem_write_lock(w->to.mem);
    assert_int_equal(mem_load_series(w->to.mem, 500, 0, NULL, 0), MR_OK);
    mem_write_unlock(w->to.mem);
    mem_evict(w->to.mem, 1, 1);
    mem_counts(w->to.mem, &counts);
    assert_int_equal(counts.series, 0);
}

/* ---- while others write ------------------------------------------------------------------------------ */

/* File operations during which somebody else writes: a new series, measure name and column before each
 * write of the file. */
struct busy {
    struct mr_io io;
    struct names_kit *kit;
    unsigned writes;
};

static ssize_t busy_pwrite(void *ctx, int fd, const void *buf, size_t len, int64_t offset)
{
    struct busy *busy = ctx;
    unsigned n = busy->writes++;
    names_kit_put(busy->kit, 50, 1000 + n, 10000, 10000, DAY);
    return mr_io_posix.pwrite(NULL, fd, buf, len, offset);
}

/* A step may find definitions that the step before did not; what the file ends with is what is in it. */
static void definitions_between_two_steps(void **state)
{
    struct world *w = *state;
    struct busy busy = {.io = mr_io_posix, .kit = &w->from};
    struct mr_error err = MR_ERROR_INIT;
    busy.io.ctx = &busy;
    busy.io.pwrite = busy_pwrite;
    names_kit_fill(&w->from, 1, 0, 20000, DAY);
    check_ok(names_write(&busy.io, w->dir, w->keyring, NAMES_DATABASE, NAMES_TABLE, 1, w->from.mem, 0, 0, 0,
                         &w->files[0], &w->columns, &w->measures, &w->series, &err),
             &err);
    w->nfiles = 1;
    struct mem_schema schema;
    mem_schema_view(w->from.mem, &schema);
    assert_true(busy.writes >= 4);
    /* The header, n frames and the end were written; the last frame was taken before n more had come. */
    assert_int_equal(w->measures, schema.nmeasures - 2);
    assert_int_equal(w->columns, schema.ncolumns - 2);
    assert_true(w->series >= 20001);
    write_next(w);
    assert_true(w->columns == schema.ncolumns && w->measures == schema.nmeasures);
    read_all(w, 0);
    names_kit_check_same(w->from.mem, w->to.mem);
}

struct race {
    struct world *w;
    bool stop;
};

static void *writer(void *arg)
{
    struct race *race = arg;
    for (unsigned n = 0; n < 60000 && !__atomic_load_n(&race->stop, __ATOMIC_RELAXED); n++)
        names_kit_put(&race->w->from, 3, n, 1 + n / 50, 1 + n / 60, DAY);
    return NULL;
}

static void while_others_write(void **state)
{
    struct world *w = *state;
    struct race race = {w, false};
    pthread_t thread;
    names_kit_fill(&w->from, 1, 0, 20000, DAY);
    assert_int_equal(pthread_create(&thread, NULL, writer, &race), 0);
    for (int i = 0; i < 20; i++)
        write_next(w);
    __atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    write_next(w);
    read_all(w, 0);
    names_kit_check_same(w->from.mem, w->to.mem);
}

/* ---- many -------------------------------------------------------------------------------------------- */

static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void a_million_series(void **state)
{
    struct world *w = *state;
    const unsigned count = 1000000;
    names_kit_fill(&w->from, 1, 0, count, DAY);
    double start = now();
    write_next(w);
    double written = now();
    read_all(w, 0);
    double end = now();
    print_message("%u series in %.1f bytes each, written at %.2f M/s, read at %.2f M/s\n", count,
                  (double)w->files[0].size / count, count / (written - start) / 1e6,
                  count / (end - written) / 1e6);
    names_kit_check_same(w->from.mem, w->to.mem);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(a_table_without_rows),
        WITH_WORLD(one_file),
        WITH_WORLD(several_files),
        WITH_WORLD(large_series),
        WITH_WORLD(gaps),
        WITH_WORLD(the_file_time),
        WITH_WORLD(definitions_between_two_steps),
        WITH_WORLD(while_others_write),
        WITH_WORLD(a_million_series),
    };
    return cmocka_run_group_tests_name("store/names", tests, NULL, NULL);
}
