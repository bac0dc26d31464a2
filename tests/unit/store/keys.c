/* Keys that change, vanish and come back under a store: who is refused, what goes on, and what is left on
 * disk. */
#include "kit.h"

#include "base/log.h"
#include "lib/check.h"
#include "lib/dir.h"
#include "seal/seal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECRET "canary-of-the-greenhouse"

static const struct mr_pair dims_a[] = {{MR_STR("host"), MR_STR("a")}};
static const struct mr_pair dims_s[] = {{MR_STR("host"), MR_STR(SECRET)}};

/* A key service in memory: database 3 is under it, the others under the master key. */
struct world {
    struct kit kit;
    struct mr_clock clock;
    int answer; /* MR_OK, or what it says instead */
    const char *key;
    struct seal_outside outside;
    struct store_table *other; /* number 8 of database 4 */
};

static int generate(void *ctx, const struct seal_wrapping *by, struct seal_key *out, struct mr_buf *wrapped,
                    struct mr_error *err)
{
    const struct world *w = ctx;
    MR_UNUSED(by);
    if (w->answer != MR_OK)
        return mr_error_set(err, w->answer, "no");
    for (size_t i = 0; i < SEAL_KEY_BYTES; i++) {
        out->bytes[i] = (unsigned char)(i * 7 + by->key.len);
        mr_buf_char(wrapped, (char)(out->bytes[i] ^ 0x55));
    }
    return MR_OK;
}

static int unwrap(void *ctx, const struct seal_wrapping *by, struct mr_str wrapped, struct seal_key *out,
                  struct mr_error *err)
{
    const struct world *w = ctx;
    MR_UNUSED(by);
    if (w->answer != MR_OK)
        return mr_error_set(err, w->answer, "no");
    for (size_t i = 0; i < SEAL_KEY_BYTES; i++)
        out->bytes[i] = (unsigned char)(wrapped.ptr[i] ^ 0x55);
    return MR_OK;
}

static int wrapping(void *ctx, uint64_t scope, struct mr_arena *arena, struct seal_wrapping *out,
                    struct mr_error *err)
{
    const struct world *w = ctx;
    MR_UNUSED(arena);
    MR_UNUSED(err);
    *out = (struct seal_wrapping){SEAL_BY_OUTSIDE, mr_str_of(w->key), MR_STR("greenhouse")};
    if (scope != 3)
        *out = (struct seal_wrapping){SEAL_BY_MASTER, MR_STR(""), MR_STR("")};
    return MR_OK;
}

static void open_store(struct world *w)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(store_open(&w->kit.options, &w->kit.store, &err), &err);
    check_ok(store_table_ref(w->kit.store, 4, 8, &w->other, &err), &err);
}

static void ref_table(struct world *w)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(store_table_ref(w->kit.store, 3, 7, &w->kit.table, &err), &err);
}

static void close_store(struct world *w)
{
    store_table_unref(w->kit.table);
    store_table_unref(w->other);
    store_close(w->kit.store);
    w->kit.table = w->other = NULL;
    w->kit.store = NULL;
}

static int setup(void **state)
{
    static struct world w;
    w = (struct world){.key = "key-one"};
    w.outside = (struct seal_outside){&w, generate, unwrap, wrapping};
    mr_clock_manual_init(&w.clock, 1000 * MR_NS_PER_S);
    w.kit.dir = dir_make();
    w.kit.options = (struct store_options){.io = &mr_io_posix,
                                           .clock = &w.clock,
                                           .dir = w.kit.dir,
                                           .outside = &w.outside,
                                           .window_ns = 1000,
                                           .by_hand = true};
    open_store(&w);
    ref_table(&w);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    close_store(w);
    dir_remove(w->kit.dir);
    return 0;
}

static int write_row(struct store_table *table, const struct mr_pair *dims, int64_t time)
{
    struct store_attr attr = kit_bigint(NULL, time);
    struct store_record record = kit_record(dims, 1, "m", time, 1, &attr, 1);
    return kit_append(table, &record, 1);
}

static void flush(struct world *w)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(store_flush(w->kit.store, &err), &err);
}

static void compact(struct world *w)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(store_compact(w->kit.store, &err), &err);
}

static void pass(struct world *w, int64_t seconds)
{
    mr_clock_manual_set(&w->clock, mr_clock_wall(&w->clock) + seconds * MR_NS_PER_S);
    store_keys_refresh(w->kit.store);
}

static int try_scan(struct world *w, struct mr_error *err)
{
    struct store_snapshot *snapshot;
    struct store_scan *scan = NULL;
    const struct store_scan_spec spec = {.time_max = INT64_MAX};
    *err = (struct mr_error)MR_ERROR_INIT;
    assert_int_equal(store_snapshot_open(w->kit.store, &snapshot), MR_OK);
    int status = store_scan_open(snapshot, w->kit.table, &spec, &scan, err);
    store_scan_close(scan);
    store_snapshot_close(snapshot);
    return status;
}

static void adopt(struct world *w, uint64_t scope, enum seal_kind kind, const char *key)
{
    struct mr_error err = MR_ERROR_INIT;
    const struct seal_wrapping by = {kind, mr_str_of(key), MR_STR("")};
    struct seal_fresh *fresh;
    check_ok(seal_fresh_make(store_keyring(w->kit.store), &by, &fresh, &err), &err);
    check_ok(seal_fresh_adopt(store_keyring(w->kit.store), scope, fresh, &err), &err);
    seal_fresh_free(fresh);
    store_keys_changed(w->kit.store);
}

static struct store_stats stats_of(struct world *w)
{
    struct store_stats stats;
    store_stats(w->kit.store, &stats);
    return stats;
}

static void check_rows(struct world *w, struct store_table *table, const char *want)
{
    char *rows = kit_rows(w->kit.store, table);
    assert_string_equal(rows, want);
    mr_free(rows);
}

/* The service says no: that database is refused, the other one is not, and all of it comes back. */
static void test_key_is_disabled_and_enabled(void **state)
{
    struct world *w = *state;
    struct mr_error err;
    assert_int_equal(write_row(w->kit.table, dims_a, 1), MR_OK);
    assert_int_equal(write_row(w->other, dims_a, 1), MR_OK);
    flush(w);
    assert_int_equal(write_row(w->kit.table, dims_a, 2), MR_OK);
    char *before = kit_rows(w->kit.store, w->kit.table);
    pass(w, 1);
    w->answer = MR_EINVAL;
    assert_int_equal(try_scan(w, &err), MR_OK); /* nobody has noticed */
    pass(w, 151);
    assert_int_equal(try_scan(w, &err), MR_EDENIED);
    assert_non_null(strstr(err.text, "key-one"));
    assert_int_equal(write_row(w->kit.table, dims_a, 3), MR_EDENIED);
    assert_int_equal(stats_of(w).closed_files, 1);
    assert_int_equal(write_row(w->other, dims_a, 2), MR_OK);
    flush(w); /* what is not at hand is passed over */
    check_rows(w, w->other, "m{host=a}@1 measure_value::bigint=1\nm{host=a}@2 measure_value::bigint=2\n");
    compact(w);
    assert_int_equal(stats_of(w).closed_files, 1);
    w->answer = MR_OK;
    pass(w, 31);
    check_rows(w, w->kit.table, before);
    assert_int_equal(stats_of(w).closed_files, 0);
    flush(w);
    compact(w);
    check_rows(w, w->kit.table, before);
    mr_free(before);
}

/* Silence is borne for the life of the key, and no longer. */
static void test_service_is_silent(void **state)
{
    struct world *w = *state;
    struct mr_error err;
    assert_int_equal(write_row(w->kit.table, dims_a, 1), MR_OK);
    flush(w);
    pass(w, 1);
    w->answer = MR_EIO;
    for (int i = 0; i < 29; i++) {
        pass(w, 10);
        assert_int_equal(try_scan(w, &err), MR_OK);
        assert_int_equal(write_row(w->kit.table, dims_a, 2 + i), MR_OK);
    }
    pass(w, 10);
    assert_int_equal(try_scan(w, &err), MR_EIO);
    assert_int_equal(write_row(w->kit.table, dims_a, 50), MR_EIO);
    w->answer = MR_OK;
    pass(w, 31);
    assert_int_equal(try_scan(w, &err), MR_OK);
    assert_int_equal(write_row(w->kit.table, dims_a, 50), MR_OK);
}

/* A start without the service: the other database serves; the table waits with names and log, then has all.
 */
static void test_start_without_the_service(void **state)
{
    struct world *w = *state;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(write_row(w->kit.table, dims_a, 1), MR_OK);
    flush(w);
    assert_int_equal(write_row(w->kit.table, dims_s, 2), MR_OK); /* a series the log alone knows */
    assert_int_equal(write_row(w->other, dims_a, 1), MR_OK);
    char *before = kit_rows(w->kit.store, w->kit.table);
    for (int starts = 0; starts < 2; starts++) {
        close_store(w);
        w->answer = MR_EIO;
        open_store(w);
        assert_int_equal(store_table_ref(w->kit.store, 3, 7, &w->kit.table, &err), MR_EIO);
        assert_int_equal(write_row(w->other, dims_a, 2 + starts), MR_OK);
        flush(w); /* must not let the log forget what waits */
        compact(w);
    }
    w->answer = MR_OK;
    pass(w, 31);
    ref_table(w);
    check_rows(w, w->kit.table, before);
    check_rows(w, w->other,
               "m{host=a}@1 measure_value::bigint=1\nm{host=a}@2 measure_value::bigint=2\nm{host=a}@3 "
               "measure_value::bigint=3\n");
    assert_int_equal(write_row(w->kit.table, dims_s, 3), MR_OK);
    flush(w);
    close_store(w);
    open_store(w);
    ref_table(w);
    char *after = kit_rows(w->kit.store, w->kit.table);
    assert_int_equal(strncmp(after, before, strlen(before) - 1), 0);
    mr_free(before);
    mr_free(after);
}

/* A table is dropped while its key is away. */
static void test_drop_while_waiting(void **state)
{
    struct world *w = *state;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(write_row(w->kit.table, dims_a, 1), MR_OK);
    flush(w);
    assert_int_equal(write_row(w->kit.table, dims_a, 2), MR_OK);
    close_store(w);
    w->answer = MR_EDENIED;
    open_store(w);
    check_ok(store_table_drop(w->kit.store, 7, &err), &err);
    assert_int_equal(stats_of(w).files, 0);
    w->answer = MR_OK;
    pass(w, 31);
    assert_int_equal(store_table_ref(w->kit.store, 3, 7, &w->kit.table, &err), MR_ENOENT);
    flush(w);
}

/* A new key: new files at once, old ones by and by, then the old key is no more. */
static void test_change_of_key(void **state)
{
    struct world *w = *state;
    struct mr_error err = MR_ERROR_INIT;
    struct seal_key key;
    struct seal_keyring *ring = store_keyring(w->kit.store);
    for (int64_t t = 1; t < 4000; t += 1000)
        assert_int_equal(write_row(w->kit.table, dims_a, t), MR_OK);
    flush(w);
    char *before = kit_rows(w->kit.store, w->kit.table);
    assert_int_equal(stats_of(w).old_key_files, 0);
    adopt(w, 3, SEAL_BY_LOCAL, "key-two");
    struct store_stats stats = stats_of(w);
    assert_int_equal(stats.old_key_files, stats.files);
    assert_true(stats.old_key_bytes > 0);
    check_ok(seal_keyring_get(ring, 3, 1, &key, &err), &err);
    flush(w); /* names */
    compact(w);
    stats = stats_of(w);
    assert_int_equal(stats.old_key_files, 0);
    assert_int_equal(seal_keyring_get(ring, 3, 1, &key, NULL), MR_ENOENT);
    check_rows(w, w->kit.table, before);
    /* The old service is not needed any more. */
    w->answer = MR_EIO;
    close_store(w);
    open_store(w);
    ref_table(w);
    check_rows(w, w->kit.table, before);
    mr_free(before);
}

/* The old key says no while files are under it: nothing is lost, and the change ends when it is back. */
static void test_change_while_the_old_key_is_away(void **state)
{
    struct world *w = *state;
    struct mr_error err;
    assert_int_equal(write_row(w->kit.table, dims_a, 1), MR_OK);
    flush(w);
    adopt(w, 3, SEAL_BY_LOCAL, "key-two");
    pass(w, 1);
    w->answer = MR_EDENIED;
    pass(w, 151);
    assert_int_equal(try_scan(w, &err), MR_EDENIED);
    flush(w);
    compact(w);
    assert_true(stats_of(w).old_key_files > 0);
    w->answer = MR_OK;
    pass(w, 31);
    flush(w);
    compact(w);
    assert_int_equal(stats_of(w).old_key_files, 0);
    check_rows(w, w->kit.table, "m{host=a}@1 measure_value::bigint=1\n");
}

/* ---- what is left on disk */

static bool file_has(const char *path, const char *text)
{
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    if (mr_io_read_file(&mr_io_posix, path, 256 << 20, &bytes, &err) != MR_OK)
        return false; /* a directory */
    bool found = memmem(bytes.ptr, bytes.len, text, strlen(text)) != NULL;
    mr_buf_release(&bytes);
    return found;
}

static bool tree_has(const char *dir, const char *text)
{
    bool found = false;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[1024];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        found = found || (e->d_type == DT_DIR ? tree_has(path, text) : file_has(path, text));
    }
    closedir(d);
    return found;
}

static void copy_tree(const char *from, const char *to)
{
    char command[1024];
    snprintf(command, sizeof command, "rm -rf %s && cp -a %s %s", to, from, to);
    assert_int_equal(system(command), 0);
}

/* Copies of all files from before, and the keyring of after: what was deleted cannot be read. */
static void test_deleted_data_cannot_be_read(void **state)
{
    struct world *w = *state;
    struct mr_error err = MR_ERROR_INIT;
    struct seal_key key;
    char copy[300], keyring[340], of_now[800];
    adopt(w, 3, SEAL_BY_LOCAL, "key-two");
    assert_int_equal(write_row(w->kit.table, dims_s, 1), MR_OK);
    assert_int_equal(write_row(w->other, dims_a, 1), MR_OK);
    assert_false(tree_has(w->kit.dir, SECRET));
    flush(w);
    assert_false(tree_has(w->kit.dir, SECRET));
    snprintf(copy, sizeof copy, "%s-copy", w->kit.dir);
    snprintf(keyring, sizeof keyring, "%s/keys/keyring", w->kit.dir);
    copy_tree(w->kit.dir, copy);
    check_ok(store_table_drop(w->kit.store, 7, &err), &err);
    check_ok(seal_keyring_forget(store_keyring(w->kit.store), 3, &err), &err);
    assert_int_equal(seal_keyring_get(store_keyring(w->kit.store), 3, 2, &key, NULL), MR_ENOENT);
    close_store(w);
    assert_false(tree_has(w->kit.dir, SECRET));
    /* The files of before under the keyring of after: the database is refused, the other one is there. */
    snprintf(of_now, sizeof of_now, "cp %s %s/keys/keyring", keyring, copy);
    assert_int_equal(system(of_now), 0);
    w->kit.options.dir = copy;
    open_store(w);
    assert_int_not_equal(store_table_ref(w->kit.store, 3, 7, &w->kit.table, &err), MR_OK);
    check_rows(w, w->other, "m{host=a}@1 measure_value::bigint=1\n");
    close_store(w);
    w->kit.options.dir = w->kit.dir;
    open_store(w);
    char command[400];
    snprintf(command, sizeof command, "rm -rf %s", copy);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    mr_log_set_level(MR_LOG_ERROR + 1);
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_key_is_disabled_and_enabled),
        CASE(test_service_is_silent),
        CASE(test_start_without_the_service),
        CASE(test_drop_while_waiting),
        CASE(test_change_of_key),
        CASE(test_change_while_the_old_key_is_away),
        CASE(test_deleted_data_cannot_be_read),
    };
    return cmocka_run_group_tests_name("store/keys", tests, NULL, NULL);
}
