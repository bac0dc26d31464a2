/* Writers, readers, a flusher and evictions at the same table: at every moment memory and files together hold
 * each row a snapshot was promised.
 *
 * Writer w appends times 0, 1, 2 ... to series 2w and now and then writes an old time again with a higher
 * version, which may lie in files by then. A reader that knows how far a writer was at its LSN knows what
 * must be there. */
#include "kit.h"

#include "lib/check.h"

#include <pthread.h>
#include <stdlib.h>

enum { WRITERS = 2, READERS = 2, ROWS = 6000, HELD = WRITERS + READERS + 1, LSNS = 4 * WRITERS * ROWS };

static struct mem_budget budget;
static struct mem_table *table;
static int64_t cutoff;             /* atomic */
static unsigned writing = WRITERS; /* atomic */
static uint64_t again, released;   /* atomic: what really happened */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t reader_left = PTHREAD_COND_INITIALIZER, rows_left = PTHREAD_COND_INITIALIZER;
/* Under `lock`: */
static uint64_t last = 0;   /* every commit is durable at once */
static unsigned generation; /* of files */
static struct {
    bool open;
    uint64_t lsn;
    unsigned generation;
} held[HELD];
static struct {
    unsigned generation; /* since when; 0: not there */
    struct kit_row row;
} files[WRITERS][ROWS];
static uint32_t rows_at[LSNS][WRITERS]; /* how far each writer was at an LSN */
static uint64_t flushed;                /* rows up to this LSN are out of memory */

static uint64_t hold(unsigned who, unsigned *files_seen)
{
    pthread_mutex_lock(&lock);
    held[who].open = true;
    held[who].lsn = last;
    held[who].generation = *files_seen = generation;
    uint64_t lsn = last;
    pthread_mutex_unlock(&lock);
    return lsn;
}

static void let_go(unsigned who)
{
    pthread_mutex_lock(&lock);
    held[who].open = false;
    pthread_cond_broadcast(&reader_left);
    pthread_mutex_unlock(&lock);
}

static uint64_t horizon(void)
{
    pthread_mutex_lock(&lock);
    uint64_t lsn = last;
    for (unsigned i = 0; i < HELD; i++)
        if (held[i].open && held[i].lsn < lsn)
            lsn = held[i].lsn;
    pthread_mutex_unlock(&lock);
    return lsn;
}

/* One batch; MR_EAGAIN with nothing done. */
static int append(struct mem_scratch *scratch, unsigned w, struct kit_row row, const struct mem_prior *prior,
                  uint64_t epoch)
{
    struct kit_words words;
    struct mem_record r = kit_record(&words, row);
    uint64_t settled = horizon();
    mem_write_lock(table);
    pthread_mutex_lock(&lock); /* here and nowhere else both; LSNs follow the table's lock */
    uint64_t lsn = last + 1;
    pthread_mutex_unlock(&lock);
    mem_batch_begin(table, scratch, lsn, settled);
    if (prior != NULL)
        mem_batch_priors(table, prior, 1, epoch);
    int rc = mem_batch_put(table, &r);
    if (rc != MR_OK) {
        mem_batch_abort(table);
    } else {
        MR_ASSERT(r.outcome == MEM_STORED);
        mem_batch_commit(table, lsn);
        pthread_mutex_lock(&lock);
        memcpy(rows_at[lsn], rows_at[lsn - 1], sizeof rows_at[lsn]);
        if (row.time == rows_at[lsn][w])
            rows_at[lsn][w]++;
        last = lsn;
        pthread_mutex_unlock(&lock);
    }
    mem_write_unlock(table);
    return rc;
}

/* The same by one who may look into files: until no release comes between. */
static void append_wait(struct mem_scratch *scratch, unsigned w, struct kit_row row)
{
    for (int rc = MR_EAGAIN; rc == MR_EAGAIN;) {
        struct kit_words words, found;
        struct mem_want want;
        struct mem_record r = kit_record(&words, row);
        struct mem_prior prior = {0};
        mem_read_lock(table);
        uint64_t epoch = mem_epoch(table);
        size_t wants = mem_wants(table, &r, 1, &want);
        if (wants != 0) {
            pthread_mutex_lock(&lock);
            prior = (struct mem_prior){want.series, want.time, files[w][row.time].generation != 0, true, {0}};
            prior.row = kit_cells(&found, table, files[w][row.time].row);
            pthread_mutex_unlock(&lock);
        }
        mem_read_unlock(table);
        rc = append(scratch, w, row, wants != 0 ? &prior : NULL, epoch);
        MR_ASSERT(rc == MR_OK || rc == MR_EAGAIN);
    }
}

/* Keeps the flusher in the game. */
static void wait_for_flush(unsigned w)
{
    enum { AHEAD = 300 };
    pthread_mutex_lock(&lock);
    while (rows_at[last][w] > rows_at[flushed][w] + AHEAD)
        pthread_cond_wait(&rows_left, &lock);
    pthread_mutex_unlock(&lock);
}

static void *write_rows(void *arg)
{
    unsigned w = *(const unsigned *)arg;
    struct mem_scratch *scratch = mem_scratch_new();
    MR_ASSERT(scratch != NULL);
    for (uint32_t i = 0; i < ROWS; i++) {
        int rc = append(scratch, w, (struct kit_row){2 * w, 0, i, 1, 1}, NULL, 0);
        MR_ASSERT(rc == MR_OK); /* in order: no file can have it */
        wait_for_flush(w);
        if (i % 3 != 0)
            continue;
        int64_t least = __atomic_load_n(&cutoff, __ATOMIC_ACQUIRE) + 200, time = i - i % 1000 / 2;
        struct kit_row row = {2 * w, 0, time, 2 + i, 1 + i % 15};
        if (time < least || time == i)
            continue;
        if (append(scratch, w, row, NULL, 0) == MR_EAGAIN) {
            __atomic_fetch_add(&again, 1, __ATOMIC_RELAXED);
            append_wait(scratch, w, row);
        }
    }
    mem_scratch_free(scratch);
    __atomic_fetch_sub(&writing, 1, __ATOMIC_RELEASE);
    return NULL;
}

static bool busy(void)
{
    return __atomic_load_n(&writing, __ATOMIC_ACQUIRE) != 0;
}

/* ---- readers
 * --------------------------------------------------------------------------------------------------- */

static void read_series(unsigned w, uint64_t lsn, unsigned files_seen, bool *there)
{
    static const uint32_t columns[] = {MEM_COLUMN_TIME, MEM_COLUMN_VERSION};
    struct mem_cursor *cursor;
    mem_read_lock(table);
    uint32_t number = kit_series(table, 2 * w);
    int rc = mem_cursor_open(table, columns, 2, &cursor);
    mem_read_unlock(table);
    MR_ASSERT(rc == MR_OK);
    int64_t from = INT64_MIN;
    for (bool more = number != UINT32_MAX; more;) {
        size_t rows;
        mem_read_lock(table);
        rc = mem_cursor_fill(cursor, table, number, &from, INT64_MAX, lsn, &rows, &more);
        mem_read_unlock(table);
        MR_ASSERT(rc == MR_OK);
        for (size_t i = 0; i < rows; i++)
            there[((const int64_t *)mem_cursor_vecs(cursor)[0].values)[i]] = true;
    }
    mem_cursor_close(cursor);
    pthread_mutex_lock(&lock);
    for (uint32_t i = 0; i < ROWS; i++)
        there[i] |= files[w][i].generation != 0 && files[w][i].generation <= files_seen;
    pthread_mutex_unlock(&lock);
}

static void *read_rows(void *arg)
{
    unsigned who = *(const unsigned *)arg, files_seen;
    bool *there = calloc(ROWS, sizeof *there);
    MR_ASSERT(there != NULL);
    while (busy()) {
        uint64_t lsn = hold(who, &files_seen);
        for (unsigned w = 0; w < WRITERS; w++) {
            memset(there, 0, ROWS * sizeof *there);
            read_series(w, lsn, files_seen, there);
            int64_t least = __atomic_load_n(&cutoff, __ATOMIC_ACQUIRE);
            pthread_mutex_lock(&lock);
            uint32_t end = rows_at[lsn][w];
            pthread_mutex_unlock(&lock);
            for (uint32_t i = 0; i < ROWS; i++)
                MR_ASSERT(i < least || there[i] == (i < end));
        }
        let_go(who);
    }
    free(there);
    return NULL;
}

/* ---- files
 * ----------------------------------------------------------------------------------------------------- */

static void copy_series(struct kit_reader *reader, unsigned w, uint64_t lsn)
{
    static struct kit_row rows[ROWS];
    mem_read_lock(table);
    uint32_t number = kit_series(table, 2 * w);
    size_t count =
        number != UINT32_MAX ? kit_read(reader, table, number, INT64_MIN, INT64_MAX, lsn, rows, ROWS) : 0;
    mem_read_unlock(table);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count; i++) {
        unsigned since = files[w][rows[i].time].generation;
        files[w][rows[i].time].generation = since != 0 ? since : generation + 1;
        files[w][rows[i].time].row = rows[i];
    }
    pthread_mutex_unlock(&lock);
    __atomic_fetch_add(&released, count, __ATOMIC_RELAXED);
}

static bool someone_is_older(void)
{
    for (unsigned i = 0; i < HELD - 1; i++)
        if (held[i].open && held[i].generation < generation)
            return true;
    return false;
}

static void *flush_rows(void *arg)
{
    MR_UNUSED(arg);
    while (busy()) {
        unsigned unused;
        uint64_t lsn = hold(HELD - 1, &unused);
        mem_read_lock(table);
        struct kit_reader *reader = kit_reader_open(table);
        mem_read_unlock(table);
        for (unsigned w = 0; w < WRITERS; w++)
            copy_series(reader, w, lsn);
        kit_reader_close(reader);
        pthread_mutex_lock(&lock);
        generation++;
        while (someone_is_older())
            pthread_cond_wait(&reader_left, &lock);
        pthread_mutex_unlock(&lock);
        mem_release(table, lsn);
        let_go(HELD - 1);
        pthread_mutex_lock(&lock);
        flushed = lsn;
        pthread_cond_broadcast(&rows_left);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void *evict_rows(void *arg)
{
    MR_UNUSED(arg);
    while (busy()) {
        struct mem_counts counts;
        mem_read_lock(table);
        mem_counts(table, &counts);
        mem_read_unlock(table);
        pthread_mutex_lock(&lock);
        int64_t least = rows_at[last][0] < rows_at[last][1] ? rows_at[last][0] : rows_at[last][1];
        pthread_mutex_unlock(&lock);
        least = least > 1500 ? least - 1500 : 0;
        __atomic_store_n(&cutoff, least, __ATOMIC_RELEASE);
        mem_evict(table, least, horizon());
    }
    return NULL;
}

static void test_race(void **state)
{
    MR_UNUSED(state);
    static unsigned numbers[] = {0, 1, 2, 3};
    pthread_t threads[WRITERS + READERS + 2];
    check_ok(mem_table_open(&budget, &table), NULL);
    struct mem_scratch *scratch = mem_scratch_new();
    kit_put(table, scratch, 0, (struct kit_row){1, 0, 0, 1, 15}); /* so that all columns are known */
    mem_scratch_free(scratch);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_rows, &numbers[i]), 0);
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[WRITERS + i], NULL, read_rows, &numbers[WRITERS + i]), 0);
    assert_int_equal(pthread_create(&threads[WRITERS + READERS], NULL, flush_rows, NULL), 0);
    assert_int_equal(pthread_create(&threads[WRITERS + READERS + 1], NULL, evict_rows, NULL), 0);
    for (unsigned i = 0; i < MR_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    mem_table_close(table);
    assert_int_equal(mem_budget_bytes(&budget), 0);
    assert_true(generation > 1 && released > ROWS && again > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_race)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
