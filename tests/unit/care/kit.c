#include "kit.h"

#include "../store/kit.h"
#include "catalog/catalog.h"
#include "lib/check.h"
#include "lib/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct store *care_kit_store(const struct care_kit *kit)
{
    struct mr_error err = MR_ERROR_INIT;
    const struct store_options options = {.io = &mr_io_posix,
                                          .clock = &mr_clock_system,
                                          .dir = kit->store_dir,
                                          .wal_segment_bytes = 64 << 10,
                                          .window_ns = 1000,
                                          .by_hand = true};
    struct store *store;
    check_ok(store_open(&options, &store, &err), &err);
    return store;
}

void care_kit_write(struct store *store, uint64_t table, const char *host, int64_t from, int64_t end)
{
    const struct mr_pair dims[] = {{MR_STR("host"), mr_str_of(host)}};
    struct mr_error err = MR_ERROR_INIT;
    struct store_table *t;
    check_ok(store_table_ref(store, 1, table, &t, &err), &err);
    for (int64_t time = from; time < end; time++) {
        struct store_attr attrs[] = {kit_double("heat", (double)time / 3), kit_text("note", "a text")};
        struct store_record record = kit_record(dims, 1, "m", time, 1, attrs, 2);
        assert_int_equal(kit_append(t, &record, 1), MR_OK);
        assert_int_equal(record.outcome, STORE_STORED);
    }
    store_table_unref(t);
}

static void make_catalog(const struct care_kit *kit)
{
    struct mr_error err = MR_ERROR_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog *catalog;
    struct catalog_database database;
    check_ok(catalog_open(kit->dir, &mr_clock_system, &catalog, &err), &err);
    check_ok(catalog_database_create(catalog, MR_STR("shop"), MR_STR("alias/aws/timestream"), NULL, 0, &arena,
                                     &database, &err),
             &err);
    static const char *const names[] = {"orders", "idle"};
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        struct catalog_table table = {
            .database = MR_STR("shop"), .name = mr_str_of(names[i]), .memory_hours = 1, .magnetic_days = 1};
        check_ok(catalog_table_create(catalog, &table, NULL, 0, &err), &err);
        assert_int_equal(table.id, i + 1);
    }
    mr_arena_release(&arena);
    catalog_close(catalog);
}

void care_kit_make(struct care_kit *kit)
{
    struct mr_error err = MR_ERROR_INIT;
    kit->dir = dir_make();
    assert_true(asprintf(&kit->store_dir, "%s/store", kit->dir) > 0);
    assert_int_equal(mkdir(kit->store_dir, 0700), 0);
    check_ok(mr_io_write_file(&mr_io_posix, kit->dir, "VERSION", MR_STR("millrace data 1\n"), 0600, &err),
             &err);
    make_catalog(kit);
    struct store *store = care_kit_store(kit);
    care_kit_write(store, 1, "a", 0, 40);
    care_kit_write(store, 1, "b", 1000, 1040);
    care_kit_write(store, 2, "a", 0, 10);
    check_ok(store_flush(store, &err), &err);
    care_kit_write(store, 1, "c", 2000, 2030);
    store_close(store);
}

void care_kit_release(struct care_kit *kit)
{
    free(kit->store_dir);
    dir_remove(kit->dir);
}

static void on_found(void *ctx, const struct care_finding *f)
{
    static const char *const kinds[] = {"damage", "unchecked", "leftover"};
    mr_buf_printf(ctx, "%s %s %s: %s\n", kinds[f->kind], f->file, f->table, f->text);
}

static bool on_step(void *ctx, const struct care_progress *progress)
{
    MR_UNUSED(ctx);
    assert_true(progress->done <= progress->total);
    return true;
}

int care_kit_check(const struct care_kit *kit, struct care_counts *counts, struct mr_buf *found)
{
    struct mr_error err = MR_ERROR_INIT;
    const struct care_watch watch = {found, on_found, on_step};
    *found = (struct mr_buf)MR_BUF_INIT;
    int status = care_check(kit->dir, &watch, counts, &err);
    mr_buf_char(found, '\0');
    if (status != MR_OK)
        print_message("%s\n", err.text);
    return status;
}

char **care_kit_paths(const char *dir, const char *sub, const char *prefix, size_t *count)
{
    char *full = NULL, **paths = calloc(100, sizeof *paths);
    assert_true(asprintf(&full, "%s/%s", dir, sub) > 0);
    DIR *d = opendir(full);
    assert_non_null(d);
    *count = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && *count < 100)
            assert_true(asprintf(&paths[(*count)++], "%s/%s", full, e->d_name) > 0);
    closedir(d);
    free(full);
    return paths;
}

void care_kit_paths_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

int64_t care_kit_size(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

void care_kit_flip(const char *path, int64_t offset)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 0xFF;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}
