#include "unit/magstore/manifest_kit.h"

#include "magstore/newfile.h"

#include <fcntl.h>
#include <stdio.h>

struct magstore_file manifest_kit_file(uint64_t n)
{
    return (struct magstore_file){
        .kind = n % 3 == 0 ? MAGSTORE_NAMES : MAGSTORE_SEGMENT,
        .level = (uint8_t)(n % 5),
        .number = n,
        .database = 1 + n % 2,
        .table = 10 + n % 4,
        .key_generation = (uint32_t)(1 + n / 100),
        .size = n * 1000003,
        .rows = n * 7,
        .first_series = (uint32_t)(n * 11),
        .last_series = (uint32_t)(n * 13),
        .time_min = -(int64_t)n * 1000000007,
        .time_max = (int64_t)n * 1000000009,
        .footer_crc = (uint32_t)(n * 2654435761u),
    };
}

void manifest_kit_add(struct magstore_manifest *m, uint64_t first, size_t count)
{
    for (uint64_t n = first; n < first + count; n++) {
        struct magstore_file file = manifest_kit_file(n);
        assert_int_equal(magstore_manifest_add(m, &file), MR_OK);
        if (n >= m->next_file)
            m->next_file = n + 1;
    }
}

void manifest_kit_create(const struct mr_io *io, const char *dir, uint64_t number)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    struct magstore_newfile file;
    struct mr_error err = MR_ERROR_INIT;
    magstore_file_name(manifest_kit_file(number).kind, number, name);
    check_ok(magstore_newfile_open(&file, io, dir, name, &err), &err);
    check_ok(magstore_newfile_write(&file, MR_STR("rows"), &err), &err);
    check_ok(magstore_newfile_finish(&file, &err), &err);
}

bool manifest_kit_is_there(const struct mr_io *io, const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = io->open(io->ctx, path, O_RDONLY, 0);
    if (fd >= 0)
        io->close(io->ctx, fd);
    return fd >= 0;
}

bool manifest_kit_file_is_there(const struct mr_io *io, const char *dir, uint64_t number)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    magstore_file_name(manifest_kit_file(number).kind, number, name);
    return manifest_kit_is_there(io, dir, name);
}

void manifest_kit_put(const struct mr_io *io, const char *dir, const char *name, struct mr_str bytes)
{
    char path[512];
    struct mr_error err = MR_ERROR_INIT;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = io->open(io->ctx, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    check_ok(mr_io_pwrite_full(io, fd, bytes.ptr, bytes.len, 0, path, &err), &err);
    io->close(io->ctx, fd);
}

static bool same_file(const struct magstore_file *a, const struct magstore_file *b)
{
    return a->kind == b->kind && a->level == b->level && a->number == b->number &&
           a->database == b->database && a->table == b->table && a->key_generation == b->key_generation &&
           a->size == b->size && a->rows == b->rows && a->first_series == b->first_series &&
           a->last_series == b->last_series && a->time_min == b->time_min && a->time_max == b->time_max &&
           a->footer_crc == b->footer_crc;
}

bool manifest_kit_same(const struct magstore_manifest *a, const struct magstore_manifest *b)
{
    if (a->generation != b->generation || a->wal_low != b->wal_low || a->next_file != b->next_file ||
        a->nfiles != b->nfiles)
        return false;
    for (size_t i = 0; i < a->nfiles; i++)
        if (!same_file(&a->files[i], &b->files[i]))
            return false;
    return true;
}

struct prefix {
    const char *text;
    size_t count;
};

static int count_one(void *arg, const char *name)
{
    struct prefix *p = arg;
    p->count += strncmp(name, p->text, strlen(p->text)) == 0;
    return 0;
}

size_t manifest_kit_count(const struct mr_io *io, const char *dir, const char *prefix)
{
    struct prefix p = {prefix, 0};
    assert_int_equal(io->list(io->ctx, dir, count_one, &p), 0);
    return p.count;
}
