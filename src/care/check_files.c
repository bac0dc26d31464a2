/* care/check_files.c - manifests, and every file that the newest one names. */
#include "care/check.h"
#include "care/segment.h"
#include "store/names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FILES "store/files"
#define MANIFEST_LIMIT ((size_t)256 << 20)

struct numbers {
    uint64_t *at;
    size_t count, cap;
};

struct found {
    struct check *check;
    struct numbers manifests, files, temps; /* files: of both kinds */
    bool nomem;
};

static int add_name(void *arg, const char *name)
{
    struct found *f = arg;
    enum magstore_kind kind;
    uint64_t number;
    struct numbers *to;
    switch (magstore_name_read(name, &kind, &number)) {
    case MAGSTORE_FOUND_MANIFEST:
        to = &f->manifests;
        break;
    case MAGSTORE_FOUND_FILE:
        to = &f->files;
        break;
    case MAGSTORE_FOUND_TEMP:
        to = &f->temps;
        break;
    default:
        return 0;
    }
    if (mr_grow((void **)&to->at, &to->cap, to->count + 1, sizeof *to->at) != MR_OK)
        return 1;
    to->at[to->count++] = number;
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static const char *file_path(struct check *check, enum magstore_kind kind, uint64_t number)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    magstore_file_name(kind, number, name);
    return mr_arena_printf(&check->arena, FILES "/%s", name).ptr;
}

/* ---- manifests --------------------------------------------------------------------------------------- */

static int read_manifest(struct check *check, uint64_t generation, struct magstore_manifest *out,
                         const char **path, struct mr_error *err)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    struct mr_buf bytes = MR_BUF_INIT;
    magstore_manifest_name(generation, name);
    *path = mr_arena_printf(&check->arena, FILES "/%s", name).ptr;
    const char *full = *path != NULL ? care_check_path(check, *path) : NULL;
    int status = full != NULL ? mr_io_read_file(check->io, full, MANIFEST_LIMIT, &bytes, err) : MR_ENOMEM;
    if (status == MR_OK)
        status = magstore_manifest_decode(mr_buf_view(&bytes), out, err);
    if (status == MR_OK && out->generation != generation) {
        magstore_manifest_release(out);
        status = mr_error_set(err, MR_ECORRUPT, "damaged manifest: of another generation at offset 16");
    }
    if (status == MR_OK)
        check->counts->bytes += bytes.len;
    mr_buf_release(&bytes);
    return status;
}

/* What the manifest before the newest names has to be there too: a start may fall back on it. */
static void check_older(struct check *check, const struct magstore_manifest *older)
{
    for (size_t i = 0; i < older->nfiles; i++) {
        const struct magstore_file *f = &older->files[i];
        const char *name = file_path(check, f->kind, f->number);
        const char *full = name != NULL ? care_check_path(check, name) : NULL;
        int fd = full != NULL ? check->io->open(check->io->ctx, full, O_RDONLY, 0) : -ENOMEM;
        if (fd == -ENOENT)
            care_check_found(check, CARE_DAMAGE, name, NULL,
                             "the older manifest names it, and it is not there");
        if (fd >= 0)
            check->io->close(check->io->ctx, fd);
    }
}

static int check_manifests(struct check *check, struct found *found, struct mr_error *err)
{
    struct numbers *list = &found->manifests;
    if (list->count > 1)
        qsort(list->at, list->count, sizeof *list->at, newest_first);
    for (size_t i = 0; i < list->count && i < 2; i++) {
        struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
        struct mr_error local = MR_ERROR_INIT;
        const char *path;
        int status = read_manifest(check, list->at[i], &m, &path, &local);
        if (status == MR_ECORRUPT || status == MR_ELIMIT) {
            care_check_found(check, CARE_DAMAGE, path, NULL, local.text);
            continue;
        }
        if (status != MR_OK)
            return mr_error_set(err, (enum mr_status)status, "%s", local.text);
        if (check->manifest_known) {
            check_older(check, &m);
            magstore_manifest_release(&m);
            continue;
        }
        check->manifest = m;
        check->manifest_known = true;
        check->counts->wal_low = m.wal_low;
    }
    if (list->count != 0 && !check->manifest_known)
        care_check_found(check, CARE_DAMAGE, FILES, NULL, "none of its manifests can be read");
    return MR_OK;
}

/* ---- one file ---------------------------------------------------------------------------------------- */

struct looking {
    struct check *check;
    struct check_table *table;
    const char *path;
};

static void on_fault(void *ctx, const char *text)
{
    struct looking *l = ctx;
    care_check_found(l->check, CARE_DAMAGE, l->path, l->table, text);
}

static bool on_step(void *ctx, uint64_t bytes)
{
    struct looking *l = ctx;
    return care_check_step(l->check, l->path, bytes, NULL) == MR_OK;
}

/* What a file that could not be read means. */
static int judge(struct looking *l, int status, const struct mr_error *why, struct mr_error *err)
{
    if (status == MR_ECORRUPT || status == MR_ENOENT || status == MR_EUNSUPPORTED || status == MR_EIO)
        care_check_found(l->check, CARE_DAMAGE, l->path, l->table, why->text);
    else if (status != MR_OK)
        return mr_error_set(err, (enum mr_status)status, "%s", why->text);
    return MR_OK;
}

static int check_names(struct looking *l, const struct magstore_file *f, const char *dir,
                       struct mr_error *err)
{
    struct check *check = l->check;
    struct mr_error why = MR_ERROR_INIT;
    if (l->table->mem == NULL && mem_table_open(&check->budget, &l->table->mem) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory checking");
    int status = names_read(check->io, dir, check->keyring, f, l->table->broken ? NULL : l->table->mem,
                            INT64_MIN, &why);
    l->table->broken = l->table->broken || status != MR_OK;
    if (status == MR_OK) {
        check->counts->names_files++;
        check->counts->series += f->rows;
    } else {
        status = judge(l, status, &why, err);
    }
    return status == MR_OK ? care_check_step(check, l->path, f->size, err) : status;
}

static int check_segment(struct looking *l, const struct magstore_file *f, const char *dir,
                         struct mr_error *err)
{
    struct check *check = l->check;
    struct mr_error why = MR_ERROR_INIT;
    struct care_segment segment = {
        .place = {check->io, dir, check->keyring, f->database, f->table, f->number},
        .file = f,
        .names = l->table->broken ? NULL : l->table->mem,
        .ctx = l,
        .fault = on_fault,
        .step = on_step,
    };
    if (l->table->mem == NULL && !l->table->broken)
        care_check_found(check, CARE_DAMAGE, l->path, l->table, "its table has no file of names");
    int status = care_segment_check(&segment, &why);
    check->counts->files++;
    check->counts->blocks += segment.blocks;
    check->counts->rows += segment.rows;
    return judge(l, status, &why, err);
}

static int check_file(struct check *check, const struct magstore_file *f, const char *dir,
                      struct mr_error *err)
{
    struct looking l = {check, NULL, file_path(check, f->kind, f->number)};
    if (l.path == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory checking");
    l.table = care_check_store_table(check, f->database, f->table, l.path);
    if (l.table == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory checking");
    if (check->keyring == NULL || l.table->closed) {
        care_check_found(check, CARE_UNCHECKED, l.path, l.table, "its key is not at hand");
        return care_check_step(check, l.path, f->size, err);
    }
    return f->kind == MAGSTORE_NAMES ? check_names(&l, f, dir, err) : check_segment(&l, f, dir, err);
}

/* Of each table names first, in their order: segments are held against them. */
static int check_table_files(struct check *check, size_t first, size_t end, const char *dir,
                             struct mr_error *err)
{
    static const enum magstore_kind order[] = {MAGSTORE_NAMES, MAGSTORE_SEGMENT};
    int status = MR_OK;
    for (size_t k = 0; k < MR_ARRAY_LEN(order); k++)
        for (size_t i = first; i < end && status == MR_OK; i++)
            if (check->manifest.files[i].kind == order[k])
                status = check_file(check, &check->manifest.files[i], dir, err);
    return status;
}

/* ---- what no manifest names -------------------------------------------------------------------------- */

static bool is_named(const struct magstore_manifest *m, uint64_t number)
{
    for (size_t i = 0; i < m->nfiles; i++)
        if (m->files[i].number == number)
            return true;
    return false;
}

static void check_leftovers(struct check *check, const struct found *found)
{
    char text[128];
    size_t unnamed = 0;
    for (size_t i = 0; i < found->files.count && check->manifest_known; i++)
        unnamed += !is_named(&check->manifest, found->files.at[i]);
    unnamed += found->temps.count;
    snprintf(text, sizeof text, "%zu files that the newest manifest does not name", unnamed);
    if (unnamed != 0)
        care_check_found(check, CARE_LEFTOVER, FILES, NULL, text);
}

int care_check_files(struct check *check, struct mr_error *err)
{
    struct found found = {.check = check};
    const char *dir = care_check_path(check, FILES);
    int rc = dir != NULL ? check->io->list(check->io->ctx, dir, add_name, &found) : 1;
    int status = MR_OK;
    if (rc > 0)
        status = mr_error_set(err, MR_ENOMEM, "out of memory checking");
    else if (rc < 0)
        care_check_found(check, CARE_DAMAGE, FILES, NULL, strerror(-rc));
    else
        status = check_manifests(check, &found, err);
    const struct magstore_manifest *m = &check->manifest;
    for (size_t i = 0; i < m->nfiles; i++)
        check->progress.total += m->files[i].size;
    for (size_t first = 0, end; status == MR_OK && first < m->nfiles; first = end) {
        for (end = first; end < m->nfiles && m->files[end].table == m->files[first].table; end++)
            ;
        status = check_table_files(check, first, end, dir, err);
    }
    if (status == MR_OK)
        check_leftovers(check, &found);
    mr_free(found.manifests.at);
    mr_free(found.files.at);
    mr_free(found.temps.at);
    return status;
}
