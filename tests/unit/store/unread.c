/* A disk that does not answer at a start: what it did not give is no damage, and comes when it answers again.
 */
#include "kit.h"

#include "lib/check.h"
#include "lib/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Opens of paths that contain it fail; NULL: none. The threads of the store open files, too. */
static const char *_Atomic refused;

static int refuse(void *ctx, const char *path, int flags, unsigned mode)
{
    const char *what = refused;
    if (what != NULL && (flags & O_CREAT) == 0 && strstr(path, what) != NULL)
        return -EIO;
    return mr_io_posix.open(ctx, path, flags, mode);
}

static void open_store(const struct kit *kit, struct store **out)
{
    static struct mr_io io;
    struct mr_error err = MR_ERROR_INIT;
    io = mr_io_posix;
    io.open = refuse;
    struct store_options options = kit->options;
    options.io = &io;
    options.dir = kit->dir;
    options.clock = &mr_clock_system;
    check_ok(store_open(&options, out, &err), &err);
}

static void write_rows(struct store_table *table, int64_t from, int64_t end)
{
    static const struct mr_pair dims[] = {{MR_STR("host"), MR_STR("a")}};
    for (int64_t t = from; t < end; t++) {
        struct store_attr attr = kit_bigint(NULL, t * 3);
        struct store_record record = kit_record(dims, 1, "m", t, 1, &attr, 1);
        assert_int_equal(kit_append(table, &record, 1), MR_OK);
    }
}

/* Rows in a file and rows in the log; then a start that cannot read files of that kind. */
static void live_through(const char *kind, int while_refused)
{
    struct kit kit = {.options = {.by_hand = true, .window_ns = 1000}};
    struct mr_error err = MR_ERROR_INIT;
    struct store *store;
    struct store_table *table;
    kit_open(&kit);
    write_rows(kit.table, 0, 20);
    check_ok(store_flush(kit.store, &err), &err);
    write_rows(kit.table, 20, 30);
    char *before = kit_rows(kit.store, kit.table);
    store_table_unref(kit.table);
    store_close(kit.store);

    refused = kind;
    open_store(&kit, &store);
    assert_int_equal(store_table_ref(store, 3, 7, &table, NULL), while_refused);
    store_keys_refresh(store); /* still not */
    check_ok(store_flush(store, &err), &err);
    if (while_refused == MR_OK)
        store_table_unref(table);
    else
        assert_int_equal(store_table_ref(store, 3, 7, &table, NULL), while_refused);

    refused = NULL;
    assert_true(store_keys_refresh(store) > 0);
    check_ok(store_table_ref(store, 3, 7, &table, &err), &err);
    char *after = kit_rows(store, table);
    assert_string_equal(after, before);
    write_rows(table, 30, 35);
    check_ok(store_flush(store, &err), &err);
    mr_free(before);
    before = kit_rows(store, table);
    store_table_unref(table);
    store_close(store);
    open_store(&kit, &store); /* nothing was lost by it */
    check_ok(store_table_ref(store, 3, 7, &table, &err), &err);
    mr_free(after);
    after = kit_rows(store, table);
    assert_string_equal(after, before);
    mr_free(before);
    mr_free(after);
    store_table_unref(table);
    store_close(store);
    dir_remove(kit.dir);
}

static void test_names(void **state)
{
    MR_UNUSED(state);
    live_through("/names-", MR_EIO);
}

static void test_segments(void **state)
{
    MR_UNUSED(state);
    live_through("/seg-0000000000000001", MR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_segments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
