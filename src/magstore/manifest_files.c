/* magstore/manifest_files.c - manifests in a directory: the newest valid one, the next one, and what no one
 * names. */
#include "magstore/manifest.h"
#include "magstore/newfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MANIFEST_LIMIT                                                                                       \
    ((size_t)256 << 20) /* some millions of files: more than any directory of ours holds                     \
                         */

void magstore_manifest_name(uint64_t generation, char out[static MAGSTORE_FILE_NAME_BYTES])
{
    snprintf(out, MAGSTORE_FILE_NAME_BYTES, "manifest-%016" PRIx64, generation);
}

/* ---- what a directory holds -------------------------------------------------------------------------- */

enum what { MANIFEST, SEGMENT, NAMES, TEMP_MANIFEST, TEMP_SEGMENT, TEMP_NAMES, WHATS };

static const struct {
    const char *prefix, *suffix;
} patterns[WHATS] = {
    [MANIFEST] = {"manifest-", ""}, [TEMP_MANIFEST] = {"manifest-", ".tmp"},
    [SEGMENT] = {"seg-", ".mrs"},   [TEMP_SEGMENT] = {"seg-", ".mrs.tmp"},
    [NAMES] = {"names-", ".mrn"},   [TEMP_NAMES] = {"names-", ".mrn.tmp"},
};

struct numbers {
    uint64_t *at;
    size_t count, cap;
};

struct listing {
    struct numbers of[WHATS]; /* manifests: newest first */
};

static void listing_release(struct listing *l)
{
    for (int i = 0; i < WHATS; i++)
        mr_free(l->of[i].at);
}

/* Exactly prefix, 16 lower-case hexadecimal digits, suffix: anything else is not ours. */
static bool parse_name(const char *name, enum what what, uint64_t *number)
{
    size_t before = strlen(patterns[what].prefix);
    uint64_t v = 0;
    if (strlen(name) != before + 16 + strlen(patterns[what].suffix) ||
        memcmp(name, patterns[what].prefix, before) != 0 ||
        strcmp(name + before + 16, patterns[what].suffix) != 0)
        return false;
    for (size_t i = before; i < before + 16; i++) {
        char c = name[i];
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *number = v;
    return true;
}

enum magstore_found magstore_name_read(const char *name, enum magstore_kind *kind, uint64_t *number)
{
    if (parse_name(name, MANIFEST, number))
        return MAGSTORE_FOUND_MANIFEST;
    *kind = parse_name(name, SEGMENT, number) ? MAGSTORE_SEGMENT : MAGSTORE_NAMES;
    if (*kind == MAGSTORE_SEGMENT || parse_name(name, NAMES, number))
        return MAGSTORE_FOUND_FILE;
    for (int i = TEMP_MANIFEST; i < WHATS; i++)
        if (parse_name(name, (enum what)i, number))
            return MAGSTORE_FOUND_TEMP;
    return MAGSTORE_FOREIGN;
}

static int add_name(void *arg, const char *name)
{
    struct listing *l = arg;
    for (int i = 0; i < WHATS; i++) {
        uint64_t number;
        struct numbers *n = &l->of[i];
        if (!parse_name(name, (enum what)i, &number))
            continue;
        if (mr_grow((void **)&n->at, &n->cap, n->count + 1, sizeof *n->at) != MR_OK)
            return 1;
        n->at[n->count++] = number;
        break;
    }
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static int list_files(const struct mr_io *io, const char *dir, struct listing *l, struct mr_error *err)
{
    int rc = io->list(io->ctx, dir, add_name, l);
    if (rc > 0)
        return mr_error_set(err, MR_ENOMEM, "out of memory listing %s", dir);
    if (rc < 0)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot list %s", dir);
    if (l->of[MANIFEST].count > 1)
        qsort(l->of[MANIFEST].at, l->of[MANIFEST].count, sizeof *l->of[MANIFEST].at, newest_first);
    return MR_OK;
}

/* ---- load -------------------------------------------------------------------------------------------- */

static int read_one(const struct mr_io *io, const char *dir, uint64_t generation,
                    struct magstore_manifest *out, struct mr_error *err)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    struct mr_buf path = MR_BUF_INIT, bytes = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    magstore_manifest_name(generation, name);
    mr_buf_printf(&path, "%s/%s", dir, name);
    mr_buf_char(&path, '\0');
    int status = MR_ENOMEM;
    if (mr_buf_ok(&path) && mr_buf_reserve(&bytes, 1) != NULL) /* an empty file is damage like any other */
        status = mr_io_read_file(io, path.ptr, MANIFEST_LIMIT, &bytes, &why);
    if (status == MR_ELIMIT)
        status = MR_ECORRUPT; /* no manifest of ours is that large */
    if (status == MR_OK) {
        status = magstore_manifest_decode(mr_buf_view(&bytes), out, &why);
        if (status == MR_OK && out->generation != generation) {
            magstore_manifest_release(out);
            status =
                mr_error_set(&why, MR_ECORRUPT, "damaged manifest: of generation %" PRIu64 " at offset 16",
                             out->generation);
        }
    }
    if (status != MR_OK)
        mr_error_set(err, status, "%s/%s: %s", dir, name, why.text[0] != '\0' ? why.text : "out of memory");
    mr_buf_release(&path);
    mr_buf_release(&bytes);
    return status;
}

/* A number once given to a file stays away from others, also when no manifest ever named the file. */
static void skip_used_numbers(const struct listing *l, struct magstore_manifest *m)
{
    static const enum what kinds[] = {SEGMENT, NAMES, TEMP_SEGMENT, TEMP_NAMES};
    for (size_t k = 0; k < MR_ARRAY_LEN(kinds); k++) {
        const struct numbers *n = &l->of[kinds[k]];
        for (size_t i = 0; i < n->count; i++)
            if (n->at[i] >= m->next_file && n->at[i] < UINT64_MAX)
                m->next_file = n->at[i] + 1;
    }
}

int magstore_manifest_load(const struct mr_io *io, const char *dir, struct magstore_manifest *out,
                           struct mr_error *err)
{
    struct listing l = {0};
    struct mr_error first = MR_ERROR_INIT; /* why the newest was refused */
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    int status = list_files(io, dir, &l, err);
    /* The process before this one may have been killed between a rename and the sync after it. What is read
     * here must not be gone after the next power cut, when files and log entries have been removed for it. */
    if (status == MR_OK)
        status = mr_io_sync_dir_or_die(io, dir, err);
    if (status != MR_OK)
        goto done;
    const struct numbers *manifests = &l.of[MANIFEST];
    size_t i = 0;
    for (; i < manifests->count; i++) {
        status = read_one(io, dir, manifests->at[i], &m, &first);
        if (status != MR_ECORRUPT)
            break; /* valid; or unreadable now, or newer than we are: then an older state would be a lie */
    }
    if (status != MR_OK) {
        mr_error_set(err, status, "%s", first.text);
        goto done;
    }
    m.fell_back = i > 0;
    m.highest = manifests->count != 0 ? manifests->at[0] : 0;
    skip_used_numbers(&l, &m);
    *out = m;
done:
    listing_release(&l);
    return status;
}

/* ---- commit ------------------------------------------------------------------------------------------ */

static int remove_file(const struct mr_io *io, const char *dir, const char *name, const char *suffix,
                       size_t *removed, struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT;
    mr_buf_printf(&path, "%s/%s%s", dir, name, suffix);
    mr_buf_char(&path, '\0');
    if (!mr_buf_ok(&path)) {
        mr_buf_release(&path);
        return mr_error_set(err, MR_ENOMEM, "out of memory removing %s", name);
    }
    int status = MR_OK, rc = io->unlink(io->ctx, path.ptr);
    if (rc < 0 && rc != -ENOENT)
        status = mr_error_errno(err, mr_io_status(rc), -rc, "cannot remove %s", path.ptr);
    *removed += rc == 0;
    mr_buf_release(&path);
    return status;
}

/* Old manifests do no harm: what cannot be removed now is removed after the next commit. */
static void remove_older(const struct mr_io *io, const char *dir, uint64_t than)
{
    struct listing l = {0};
    size_t removed = 0;
    int status = list_files(io, dir, &l, NULL);
    for (size_t i = 0; status == MR_OK && i < l.of[MANIFEST].count; i++) {
        char name[MAGSTORE_FILE_NAME_BYTES];
        magstore_manifest_name(l.of[MANIFEST].at[i], name);
        if (l.of[MANIFEST].at[i] < than)
            status = remove_file(io, dir, name, "", &removed, NULL);
    }
    listing_release(&l);
}

static int write_manifest(const struct mr_io *io, const char *dir, uint64_t generation, struct mr_str bytes,
                          struct mr_error *err)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    struct magstore_newfile file;
    magstore_manifest_name(generation, name);
    int status = magstore_newfile_open(&file, io, dir, name, err);
    if (status != MR_OK)
        return status;
    status = magstore_newfile_write(&file, bytes, err);
    if (status == MR_OK)
        return magstore_newfile_finish(&file, err);
    magstore_newfile_abort(&file);
    return status;
}

int magstore_manifest_commit(const struct mr_io *io, const char *dir, struct magstore_manifest *m,
                             struct mr_error *err)
{
    struct mr_buf bytes = MR_BUF_INIT;
    uint64_t before = m->generation;
    int status = magstore_manifest_check(m);
    if (status == MR_EINVAL)
        return mr_error_set(err, status, "the file numbers of the manifest do not fit");
    if (status == MR_OK) {
        m->generation = m->highest + 1;
        status = magstore_manifest_encode(m, &bytes);
    }
    if (status == MR_OK)
        status = write_manifest(io, dir, m->generation, mr_buf_view(&bytes), err);
    mr_buf_release(&bytes);
    if (status != MR_OK) {
        m->generation = before;
        return mr_error_set(err, status, "out of memory writing a manifest");
    }
    m->highest = m->generation;
    m->fell_back = false;
    remove_older(io, dir, before);
    return MR_OK;
}

/* ---- clean ------------------------------------------------------------------------------------------- */

/* The numbers that valid manifests name. *sure: the newest manifest is among them. */
static int named_files(const struct mr_io *io, const char *dir, const struct numbers *manifests,
                       struct numbers *out, bool *sure, struct mr_error *err)
{
    *sure = false;
    for (size_t i = 0; i < manifests->count; i++) {
        struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
        struct mr_error why = MR_ERROR_INIT;
        int status = read_one(io, dir, manifests->at[i], &m, &why);
        if (status == MR_ECORRUPT)
            continue;
        if (status == MR_OK)
            status = mr_grow((void **)&out->at, &out->cap, out->count + m.nfiles, sizeof *out->at);
        for (size_t j = 0; status == MR_OK && j < m.nfiles; j++)
            out->at[out->count++] = m.files[j].number;
        magstore_manifest_release(&m);
        if (status != MR_OK)
            return mr_error_set(err, status, "%s", why.text[0] != '\0' ? why.text : "out of memory");
        *sure = *sure || i == 0;
    }
    if (out->count > 1)
        qsort(out->at, out->count, sizeof *out->at, newest_first);
    return MR_OK;
}

static bool is_named(const struct numbers *named, uint64_t number)
{
    return named->count != 0 &&
           bsearch(&number, named->at, named->count, sizeof *named->at, newest_first) != NULL;
}

/* Files found of one kind, with numbers below `below` and, unless named is NULL, without a name. */
static int remove_found(const struct mr_io *io, const char *dir, const struct listing *l, enum what what,
                        const struct numbers *named, uint64_t below, size_t *removed, struct mr_error *err)
{
    static const char *const suffixes[WHATS] = {
        [TEMP_MANIFEST] = ".tmp", [TEMP_SEGMENT] = ".tmp", [TEMP_NAMES] = ".tmp"};
    const char *suffix = suffixes[what] != NULL ? suffixes[what] : "";
    const struct numbers *found = &l->of[what];
    int status = MR_OK;
    for (size_t i = 0; status == MR_OK && i < found->count; i++) {
        char name[MAGSTORE_FILE_NAME_BYTES];
        if (found->at[i] >= below || (named != NULL && is_named(named, found->at[i])))
            continue;
        if (what == TEMP_MANIFEST)
            magstore_manifest_name(found->at[i], name);
        else
            magstore_file_name(what == SEGMENT || what == TEMP_SEGMENT ? MAGSTORE_SEGMENT : MAGSTORE_NAMES,
                               found->at[i], name);
        status = remove_file(io, dir, name, suffix, removed, err);
    }
    return status;
}

int magstore_manifest_clean(const struct mr_io *io, const char *dir, uint64_t below, size_t *removed,
                            struct mr_error *err)
{
    struct listing l = {0};
    struct numbers named = {NULL, 0, 0};
    bool sure = false;
    *removed = 0;
    int status = list_files(io, dir, &l, err);
    if (status == MR_OK)
        status = named_files(io, dir, &l.of[MANIFEST], &named, &sure, err);
    /* A manifest that was just removed may come back after a power cut; its files may not be gone then. */
    if (status == MR_OK)
        status = mr_io_sync_dir_or_die(io, dir, err);
    if (status == MR_OK)
        status = remove_found(io, dir, &l, TEMP_MANIFEST, NULL, UINT64_MAX, removed, err);
    if (status == MR_OK)
        status = remove_found(io, dir, &l, TEMP_SEGMENT, NULL, below, removed, err);
    if (status == MR_OK)
        status = remove_found(io, dir, &l, TEMP_NAMES, NULL, below, removed, err);
    if (status == MR_OK && sure)
        status = remove_found(io, dir, &l, SEGMENT, &named, below, removed, err);
    if (status == MR_OK && sure)
        status = remove_found(io, dir, &l, NAMES, &named, below, removed, err);
    if (status == MR_OK && *removed != 0)
        status = mr_io_sync_dir_or_die(io, dir, err);
    mr_free(named.at);
    listing_release(&l);
    return status;
}

/* ---- leftover ---------------------------------------------------------------------------------------- */

static bool names(const struct magstore_manifest *m, uint64_t number)
{
    for (size_t i = 0; i < m->nfiles; i++)
        if (m->files[i].number == number)
            return true;
    return false;
}

int magstore_manifest_leftover(const struct mr_io *io, const char *dir,
                               const struct magstore_manifest *newest, struct magstore_file **out,
                               size_t *count, struct mr_error *err)
{
    struct listing l = {0};
    size_t cap = 0;
    *out = NULL;
    *count = 0;
    int status = list_files(io, dir, &l, err);
    const struct numbers *manifests = &l.of[MANIFEST];
    for (size_t i = 0; i < manifests->count && status == MR_OK; i++) {
        struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
        if (manifests->at[i] == newest->generation)
            continue;
        struct mr_error why = MR_ERROR_INIT;
        status = read_one(io, dir, manifests->at[i], &m, &why);
        if (status == MR_ECORRUPT) {
            status = MR_OK;
            continue;
        }
        for (size_t j = 0; status == MR_OK && j < m.nfiles; j++) {
            if (names(newest, m.files[j].number))
                continue;
            status = mr_grow((void **)out, &cap, *count + 1, sizeof **out);
            if (status == MR_OK)
                (*out)[(*count)++] = m.files[j];
        }
        magstore_manifest_release(&m);
        if (status != MR_OK)
            mr_error_set(err, (enum mr_status)status, "%s", why.text[0] != '\0' ? why.text : "out of memory");
    }
    listing_release(&l);
    if (status != MR_OK) {
        mr_free(*out);
        *out = NULL;
        *count = 0;
    }
    return status;
}
