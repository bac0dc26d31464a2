/* Manifests in a directory: the newest valid one, the next one, and what no one names. */
#include "magstore/manifest.h"
#include "magstore/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MANIFEST_NAME_BYTES 32
#define MANIFEST_LIMIT ((size_t)256 << 20)

static void manifest_name(uint64_t generation, char out[static MANIFEST_NAME_BYTES])
{
    snprintf(out, MANIFEST_NAME_BYTES, "manifest-%016" PRIx64, generation);
}

/* Exactly prefix, 16 lower-case hex digits, suffix: anything else is not ours. */
static bool parse_name(const char *name, const char *prefix, const char *suffix, uint64_t *number)
{
    size_t before = strlen(prefix);
    uint64_t v = 0;
    if (strlen(name) != before + 16 + strlen(suffix) || memcmp(name, prefix, before) != 0 ||
        strcmp(name + before + 16, suffix) != 0)
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

/* What a directory holds of our patterns. */
struct numbers {
    uint64_t *at;
    size_t count, cap;
};
struct listing {
    struct numbers manifests, segments, manifest_temps, segment_temps;
    bool failed;
};

static void listing_release(struct listing *l)
{
    mr_free(l->manifests.at);
    mr_free(l->segments.at);
    mr_free(l->manifest_temps.at);
    mr_free(l->segment_temps.at);
}

static int add_name(void *arg, const char *name)
{
    struct listing *l = arg;
    struct numbers *n;
    uint64_t number;
    if (parse_name(name, "manifest-", "", &number))
        n = &l->manifests;
    else if (parse_name(name, "seg-", ".mrs", &number))
        n = &l->segments;
    else if (parse_name(name, "manifest-", ".tmp", &number))
        n = &l->manifest_temps;
    else if (parse_name(name, "seg-", ".mrs.tmp", &number))
        n = &l->segment_temps;
    else
        return 0;
    if (mr_grow((void **)&n->at, &n->cap, n->count + 1, sizeof *n->at) != MR_OK)
        return 1;
    n->at[n->count++] = number;
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static int list_files(const struct mr_io *io, const char *dir, struct listing *l, struct mr_error *err)
{
    *l = (struct listing){0};
    int rc = io->list(io->ctx, dir, add_name, l);
    if (rc > 0)
        return mr_error_set(err, MR_ENOMEM, "out of memory listing %s", dir);
    if (rc < 0)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot list %s", dir);
    if (l->manifests.count > 1)
        qsort(l->manifests.at, l->manifests.count, sizeof *l->manifests.at, newest_first);
    return MR_OK;
}

static int read_one(const struct mr_io *io, const char *dir, uint64_t generation,
                    struct magstore_manifest *out, struct mr_error *err)
{
    char name[MANIFEST_NAME_BYTES];
    struct mr_buf path = MR_BUF_INIT, bytes = MR_BUF_INIT;
    manifest_name(generation, name);
    mr_buf_printf(&path, "%s/%s", dir, name);
    mr_buf_char(&path, '\0');
    int status = mr_buf_ok(&path) ? mr_io_read_file(io, path.ptr, MANIFEST_LIMIT, &bytes, err) : MR_ENOMEM;
    if (status == MR_ELIMIT)
        status = MR_ECORRUPT; /* no manifest of ours is that large */
    struct mr_error why = MR_ERROR_INIT;
    if (status == MR_OK) {
        status = magstore_manifest_decode(mr_buf_view(&bytes), out, &why);
        if (status == MR_OK && out->generation != generation) {
            magstore_manifest_release(out);
            status = mr_error_set(&why, MR_ECORRUPT, "generation of another file at offset 16");
        }
    }
    if (status != MR_OK)
        mr_error_set(err, status, "%s/%s: %s", dir, name, why.text[0] != '\0' ? why.text : "unreadable");
    mr_buf_release(&path);
    mr_buf_release(&bytes);
    return status;
}

int magstore_manifest_load(const struct mr_io *io, const char *dir, struct magstore_manifest *out,
                           struct mr_error *err)
{
    struct listing l;
    struct mr_error first = MR_ERROR_INIT; /* why the newest was refused */
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    int status = list_files(io, dir, &l, err);
    if (status != MR_OK)
        goto done;
    size_t i = 0;
    for (; i < l.manifests.count; i++) {
        struct mr_error why = MR_ERROR_INIT;
        status = read_one(io, dir, l.manifests.at[i], &m, &why);
        if (status == MR_OK)
            break;
        mr_error_set(&first, status, "%s", why.text);
        if (status != MR_ECORRUPT)
            break; /* unreadable now or newer than we are: an older state would be a lie */
    }
    if (status != MR_OK) {
        status = mr_error_set(err, status, "%s", first.text);
        goto done;
    }
    m.fell_back = i > 0;
    m.highest = l.manifests.count != 0 ? l.manifests.at[0] : 0;
    *out = m;
done:
    listing_release(&l);
    return status;
}

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

/* Old manifests are no harm: what cannot be removed now is removed next time. */
static void remove_older(const struct mr_io *io, const char *dir, uint64_t than)
{
    struct listing l;
    size_t removed = 0;
    if (list_files(io, dir, &l, NULL) == MR_OK) {
        for (size_t i = 0; i < l.manifests.count; i++) {
            char name[MANIFEST_NAME_BYTES];
            manifest_name(l.manifests.at[i], name);
            if (l.manifests.at[i] < than && remove_file(io, dir, name, "", &removed, NULL) != MR_OK)
                break;
        }
    }
    listing_release(&l);
}

int magstore_manifest_commit(const struct mr_io *io, const char *dir, struct magstore_manifest *m,
                             struct mr_error *err)
{
    char name[MANIFEST_NAME_BYTES];
    struct mr_buf bytes = MR_BUF_INIT;
    uint64_t before = m->generation;
    int status = magstore_manifest_check(m);
    if (status != MR_OK)
        return mr_error_set(err, status, "segment numbers of the manifest do not fit");
    m->generation = m->highest + 1;
    status = magstore_manifest_encode(m, &bytes);
    if (status == MR_OK) {
        m->highest++; /* whatever becomes of the file: the next attempt has another name */
        manifest_name(m->generation, name);
        status = mr_io_write_file(io, dir, name, mr_buf_view(&bytes), 0600, err);
    }
    mr_buf_release(&bytes);
    if (status != MR_OK) {
        m->generation = before;
        return mr_error_set(err, status, "out of memory writing a manifest");
    }
    m->fell_back = false;
    remove_older(io, dir, before);
    return MR_OK;
}

/* The numbers that any valid manifest names. *sure: every manifest newer than the newest valid is readable.
 */
static int named_segments(const struct mr_io *io, const char *dir, const struct listing *l,
                          struct numbers *out, bool *sure, struct mr_error *err)
{
    bool valid = false;
    *sure = true;
    for (size_t i = 0; i < l->manifests.count; i++) {
        struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
        struct mr_error why = MR_ERROR_INIT;
        int status = read_one(io, dir, l->manifests.at[i], &m, &why);
        if (status == MR_ECORRUPT) {
            *sure = *sure && valid;
            continue;
        }
        if (status == MR_OK)
            status = mr_grow((void **)&out->at, &out->cap, out->count + m.nsegments, sizeof *out->at);
        if (status != MR_OK) {
            magstore_manifest_release(&m);
            return mr_error_set(err, status, "%s", why.text[0] != '\0' ? why.text : "out of memory");
        }
        for (size_t j = 0; j < m.nsegments; j++)
            out->at[out->count++] = m.segments[j].number;
        valid = true;
        magstore_manifest_release(&m);
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

static int remove_segments(const struct mr_io *io, const char *dir, const struct numbers *found,
                           const char *suffix, const struct numbers *named, uint64_t below, size_t *removed,
                           struct mr_error *err)
{
    int status = MR_OK;
    for (size_t i = 0; status == MR_OK && i < found->count; i++) {
        char name[MAGSTORE_NAME_BYTES];
        magstore_segment_name(found->at[i], name);
        if (found->at[i] < below && (named == NULL || !is_named(named, found->at[i])))
            status = remove_file(io, dir, name, suffix, removed, err);
    }
    return status;
}

int magstore_manifest_clean(const struct mr_io *io, const char *dir, uint64_t below, size_t *removed,
                            struct mr_error *err)
{
    struct listing l;
    struct numbers named = {NULL, 0, 0};
    bool sure;
    *removed = 0;
    int status = list_files(io, dir, &l, err);
    if (status == MR_OK)
        status = named_segments(io, dir, &l, &named, &sure, err);
    if (status != MR_OK)
        goto done;
    for (size_t i = 0; status == MR_OK && i < l.manifest_temps.count; i++) {
        char name[MANIFEST_NAME_BYTES];
        manifest_name(l.manifest_temps.at[i], name);
        status = remove_file(io, dir, name, ".tmp", removed, err);
    }
    if (status == MR_OK)
        status = remove_segments(io, dir, &l.segment_temps, ".tmp", NULL, below, removed, err);
    if (status == MR_OK && sure)
        status = remove_segments(io, dir, &l.segments, "", &named, below, removed, err);
    if (status == MR_OK && *removed != 0)
        status = mr_io_sync_dir(io, dir, err);
done:
    mr_free(named.at);
    listing_release(&l);
    return status;
}
