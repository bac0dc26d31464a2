/* backup/make.c - a moment of a data directory into a target.
 *
 * Files that never change go under keys that say which file it is (its random id), so one that is there
 * already is the same: it is not copied again. What one backup has for itself lies in its folder. The index
 * comes last, and what has no index is no backup.
 */
#include "backup/parts.h"

#include "base/rand.h"
#include "base/text.h"
#include "seal/seal.h"
#include "wal/read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PATH_BYTES 4096
#define MARKER "millrace-backup"
#define MARKER_TEXT "millrace backup 1\n"
#define ID_OFFSET 40 /* of the random id in the header of a segment and of a file of names */
#define SMALL_LIMIT ((size_t)64 << 20)

struct object {
    char *key;
    uint64_t bytes;
};

struct maker {
    const struct mr_io *io;
    const char *data;
    struct backup_target *target;
    const struct backup_watch *watch;
    struct backup_index index;
    struct backup_progress progress;
    struct object *objects; /* of the target; by key */
    size_t nobjects, objects_cap;
    struct backup_index before; /* the newest complete backup: its hashes need not be made again */
    char *buffer;               /* BACKUP_PART_BYTES */
    struct mr_error *err;
};

static int no_memory(struct maker *m)
{
    return mr_error_set(m->err, MR_ENOMEM, "out of memory making a backup");
}

static int step(struct maker *m, const char *doing)
{
    m->progress.doing = doing;
    return m->watch == NULL || m->watch->step(m->watch->ctx, &m->progress)
               ? MR_OK
               : (int)mr_error_set(m->err, MR_ECANCEL, "the backup was stopped");
}

/* ---- what the target has ------------------------------------------------------------------------------ */

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct object *)a)->key, ((const struct object *)b)->key);
}

static int on_object(void *ctx, struct mr_str key, uint64_t bytes)
{
    struct maker *m = ctx;
    if (mr_grow((void **)&m->objects, &m->objects_cap, m->nobjects + 1, sizeof *m->objects) != MR_OK)
        return MR_ENOMEM;
    char *copy = mr_strndup(key.ptr, key.len);
    if (copy == NULL)
        return MR_ENOMEM;
    m->objects[m->nobjects++] = (struct object){copy, bytes};
    return MR_OK;
}

static bool has(const struct maker *m, const char *key, uint64_t bytes)
{
    const struct object wanted = {(char *)(uintptr_t)key, 0};
    const struct object *found =
        m->nobjects != 0 ? bsearch(&wanted, m->objects, m->nobjects, sizeof wanted, by_key) : NULL;
    return found != NULL && found->bytes == bytes;
}

/* A target is one of ours, or empty. */
static int check_marker(struct maker *m)
{
    struct mr_buf text = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    int status = m->target->get(m->target, MARKER, 4096, &text, &why);
    if (status == MR_ENOENT)
        status = m->target->put(m->target, MARKER, MR_STR(MARKER_TEXT), m->err);
    else if (status != MR_OK)
        mr_error_set(m->err, (enum mr_status)status, "%s", why.text);
    else if (!mr_str_eq(mr_buf_view(&text), MR_STR(MARKER_TEXT)))
        status = mr_error_set(m->err, MR_EUNSUPPORTED, "the target holds backups of another format");
    mr_buf_release(&text);
    return status;
}

static int look_around(struct maker *m)
{
    char(*ids)[BACKUP_ID_BYTES] = NULL;
    size_t n = 0;
    int status = check_marker(m);
    if (status == MR_OK)
        status = m->target->list(m->target, "files/", on_object, m, m->err);
    if (status == MR_OK)
        status = m->target->list(m->target, "log/", on_object, m, m->err);
    if (m->nobjects > 1)
        qsort(m->objects, m->nobjects, sizeof *m->objects, by_key);
    if (status == MR_OK)
        status = backup_list(m->target, &ids, &n, m->err);
    /* One that cannot be read costs some reading, nothing else. */
    if (status == MR_OK && n != 0)
        (void)backup_read_index(m->target, ids[n - 1], &m->before, NULL);
    mr_free(ids);
    return status;
}

/* ---- one file ----------------------------------------------------------------------------------------- */

/* All parts are in the target, and their hashes in the backup before this one. */
static bool known(const struct maker *m, struct backup_file *file)
{
    char key[BACKUP_KEY_BYTES];
    for (size_t i = 0; i < m->before.nfiles; i++) {
        const struct backup_file *old = &m->before.files[i];
        if (old->bytes != file->bytes || strcmp(old->key, file->key) != 0)
            continue;
        for (size_t p = 0; p < old->nparts; p++) {
            backup_part_key(old, p, key);
            if (!has(m, key, old->parts[p].bytes))
                return false;
        }
        memcpy(file->parts, old->parts, old->nparts * sizeof *old->parts);
        file->nparts = old->nparts;
        return true;
    }
    return false;
}

static int copy_part(struct maker *m, struct backup_file *file, struct mr_str bytes, bool shared)
{
    char key[BACKUP_KEY_BYTES];
    struct backup_part *part = &file->parts[file->nparts];
    part->bytes = (uint32_t)bytes.len;
    backup_sha256(bytes, part->sha256);
    backup_part_key(file, file->nparts++, key);
    if (shared && has(m, key, bytes.len))
        return MR_OK;
    m->progress.copied_bytes += bytes.len;
    return m->target->put(m->target, key, bytes, m->err);
}

static int copy_parts(struct maker *m, int fd, const char *path, struct backup_file *file)
{
    int status = MR_OK;
    for (uint64_t at = 0; at < file->bytes && status == MR_OK;) {
        uint64_t left = file->bytes - at;
        size_t n = left < BACKUP_PART_BYTES ? (size_t)left : BACKUP_PART_BYTES;
        status = mr_io_pread_full(m->io, fd, m->buffer, n, (int64_t)at, path, m->err);
        if (status == MR_OK)
            status = copy_part(m, file, (struct mr_str){m->buffer, n}, true);
        at += n;
        m->progress.bytes += n;
        if (status == MR_OK)
            status = step(m, "copying");
    }
    return status;
}

/* A file that does not change any more, of which the first `bytes` count. */
static int copy_file(struct maker *m, const char *path, const char *key, uint64_t bytes, uint64_t whole)
{
    char from[PATH_BYTES];
    struct backup_file *file = backup_index_add(&m->index, mr_str_of(path), mr_str_of(key), bytes);
    if (file == NULL)
        return no_memory(m);
    file->whole = whole;
    m->progress.files++;
    if (known(m, file)) {
        m->progress.bytes += bytes;
        return step(m, "copying");
    }
    snprintf(from, sizeof from, "%s/%s", m->data, path);
    int fd = m->io->open(m->io->ctx, from, O_RDONLY, 0);
    if (fd < 0)
        return mr_error_errno(m->err, mr_io_status(fd), -fd, "cannot open %s", from);
    int status = copy_parts(m, fd, from, file);
    m->io->close(m->io->ctx, fd);
    return status;
}

/* Bytes that belong to this backup alone. */
static int copy_bytes(struct maker *m, const char *path, const char *name, struct mr_str bytes)
{
    char key[BACKUP_KEY_BYTES];
    snprintf(key, sizeof key, "backups/%s/%s", m->index.id, name);
    struct backup_file *file = backup_index_add(&m->index, mr_str_of(path), mr_str_of(key), bytes.len);
    int status = file != NULL ? MR_OK : no_memory(m);
    m->progress.bytes += bytes.len;
    m->progress.all_bytes += bytes.len;
    for (size_t at = 0; at < bytes.len && status == MR_OK; at += BACKUP_PART_BYTES)
        status = copy_part(m, file, mr_str_slice(bytes, at, at + BACKUP_PART_BYTES), false);
    return status;
}

/* ---- the files of the manifest ------------------------------------------------------------------------- */

/* What tells this file from any other: the random id in its head. Its size and end are what the manifest
 * says. */
static int identify(struct maker *m, const char *path, const struct magstore_file *file, char id[17])
{
    char from[PATH_BYTES];
    unsigned char head[ID_OFFSET + 8], end[4];
    snprintf(from, sizeof from, "%s/%s", m->data, path);
    int fd = m->io->open(m->io->ctx, from, O_RDONLY, 0);
    if (fd < 0)
        return mr_error_errno(m->err, mr_io_status(fd), -fd, "cannot open %s", from);
    int status = MR_OK;
    int64_t size = m->io->size(m->io->ctx, fd);
    if (size < 0)
        status = mr_error_errno(m->err, MR_EIO, (int)-size, "cannot stat %s", from);
    else if ((uint64_t)size != file->size || file->size < sizeof head)
        status = mr_error_set(m->err, MR_ECORRUPT, "%s has %" PRId64 " bytes, the manifest says %" PRIu64,
                              from, size, file->size);
    if (status == MR_OK)
        status = mr_io_pread_full(m->io, fd, head, sizeof head, 0, from, m->err);
    if (status == MR_OK)
        status = mr_io_pread_full(m->io, fd, end, sizeof end, size - 4, from, m->err);
    if (status == MR_OK && file->kind == MAGSTORE_SEGMENT && memcmp(end, &file->footer_crc, 4) != 0)
        status = mr_error_set(m->err, MR_ECORRUPT, "%s is not the file that the manifest names", from);
    m->io->close(m->io->ctx, fd);
    if (status == MR_OK)
        mr_hex_encode(head + ID_OFFSET, 8, id);
    return status;
}

static int copy_manifest_files(struct maker *m, const struct magstore_manifest *manifest)
{
    int status = MR_OK;
    for (size_t i = 0; i < manifest->nfiles && status == MR_OK; i++) {
        const struct magstore_file *file = &manifest->files[i];
        char name[MAGSTORE_FILE_NAME_BYTES], path[PATH_BYTES / 8], key[PATH_BYTES / 8], id[17];
        magstore_file_name(file->kind, file->number, name);
        snprintf(path, sizeof path, "store/files/%s", name);
        status = identify(m, path, file, id);
        snprintf(key, sizeof key, "files/%s-%s", name, id);
        if (status == MR_OK)
            status = copy_file(m, path, key, file->size, file->size);
        m->index.rows += file->kind == MAGSTORE_SEGMENT ? file->rows : 0;
    }
    return status;
}

static int copy_manifest(struct maker *m, const struct magstore_manifest *manifest)
{
    char path[PATH_BYTES / 8];
    struct mr_buf bytes = MR_BUF_INIT;
    if (manifest->generation == 0)
        return MR_OK;
    int status = magstore_manifest_encode(manifest, &bytes);
    snprintf(path, sizeof path, "store/files/manifest-%016" PRIx64, manifest->generation);
    status = status == MR_OK ? copy_bytes(m, path, "manifest", mr_buf_view(&bytes)) : no_memory(m);
    mr_buf_release(&bytes);
    return status;
}

/* ---- the log ------------------------------------------------------------------------------------------- */

/* Whoever only reads has nothing to make durable. */
static int no_sync(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    MR_UNUSED(fd);
    return 0;
}

static int find_pieces(struct maker *m, const struct backup_moment *moment, struct wal_piece **pieces,
                       size_t *count)
{
    char path[PATH_BYTES];
    struct seal_keyring *keyring;
    snprintf(path, sizeof path, "%s/store/keys", m->data);
    struct mr_io reading = *m->io;
    reading.fsync = no_sync;
    int status = seal_keyring_open(&reading, path, &keyring, m->err);
    if (status != MR_OK)
        return status;
    snprintf(path, sizeof path, "%s/store/wal", m->data);
    status = wal_pieces(m->io, path, keyring, moment->manifest.wal_low, moment->lsn, pieces, count, m->err);
    seal_keyring_close(keyring);
    return status;
}

static int copy_log(struct maker *m, const struct wal_piece *pieces, size_t count)
{
    int status = MR_OK;
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        const struct wal_piece *p = &pieces[i];
        char name[WAL_NAME_BYTES], path[PATH_BYTES / 8], key[PATH_BYTES / 8], id[17];
        wal_segment_name(p->sequence, name);
        mr_hex_encode(p->id, 8, id);
        snprintf(path, sizeof path, "store/wal/%s", name);
        snprintf(key, sizeof key, "log/%s-%s-%" PRIu64, name, id, p->bytes);
        /* The newest has its full size, for a start takes a shorter one for damage. */
        status = copy_file(m, path, key, p->bytes, i + 1 == count ? p->segment_bytes : p->bytes);
        m->index.log_entries += p->entries;
    }
    return status;
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

static int copy_secret(struct maker *m, const char *path, const char *name)
{
    char from[PATH_BYTES];
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    snprintf(from, sizeof from, "%s/%s", m->data, path);
    int status = mr_io_read_file(m->io, from, 65536, &bytes, &why);
    if (status == MR_OK)
        status = copy_bytes(m, path, name, mr_buf_view(&bytes));
    else if (status != MR_ENOENT)
        mr_error_set(m->err, (enum mr_status)status, "%s", why.text);
    if (bytes.ptr != NULL)
        explicit_bzero(bytes.ptr, bytes.len);
    mr_buf_release(&bytes);
    return status == MR_ENOENT ? MR_OK : status;
}

struct key_names {
    struct maker *m;
    int status;
};

static int on_key_file(void *ctx, const char *name)
{
    struct key_names *k = ctx;
    char path[PATH_BYTES / 8], under[PATH_BYTES / 8];
    size_t len = strlen(name);
    if (len < 5 || len > 100 || strcmp(name + len - 4, ".key") != 0 || !backup_key_valid(mr_str_of(name)))
        return 0;
    snprintf(path, sizeof path, "store/keys/%s", name);
    snprintf(under, sizeof under, "keys/%s", name);
    k->status = copy_secret(k->m, path, under);
    return k->status != MR_OK;
}

static int copy_keys(struct maker *m)
{
    char dir[PATH_BYTES];
    struct key_names names = {m, MR_OK};
    snprintf(dir, sizeof dir, "%s/store/keys", m->data);
    int rc = m->io->list(m->io->ctx, dir, on_key_file, &names);
    if (rc < 0)
        return mr_error_errno(m->err, mr_io_status(rc), -rc, "cannot list %s", dir);
    return names.status == MR_OK ? copy_secret(m, "root-credentials", "root-credentials") : names.status;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void make_id(struct maker *m, int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / MR_NS_PER_S);
    unsigned char random[3];
    char hex[7];
    struct tm tm;
    mr_random_bytes(random, sizeof random);
    mr_hex_encode(random, sizeof random, hex);
    gmtime_r(&seconds, &tm);
    size_t n = strftime(m->index.id, sizeof m->index.id, "%Y%m%dT%H%M%S", &tm);
    snprintf(m->index.id + n, sizeof m->index.id - n, "%03dZ-%s", (int)(wall_ns % MR_NS_PER_S / MR_NS_PER_MS),
             hex);
    m->index.made = wall_ns;
}

static void count_all(struct maker *m, const struct backup_moment *moment, const struct wal_piece *pieces,
                      size_t count)
{
    m->progress.all_files = moment->manifest.nfiles + count;
    for (size_t i = 0; i < moment->manifest.nfiles; i++)
        m->progress.all_bytes += moment->manifest.files[i].size;
    for (size_t i = 0; i < count; i++)
        m->progress.all_bytes += pieces[i].bytes;
}

static int copy_all(struct maker *m, const struct backup_moment *moment, bool keys)
{
    struct wal_piece *pieces = NULL;
    size_t count = 0;
    int status = find_pieces(m, moment, &pieces, &count);
    if (status == MR_OK) {
        count_all(m, moment, pieces, count);
        status = copy_log(m, pieces, count); /* first: it is what the server would like to forget */
    }
    mr_free(pieces);
    if (status == MR_OK)
        status = copy_manifest_files(m, &moment->manifest);
    if (status == MR_OK)
        status = copy_manifest(m, &moment->manifest);
    if (status == MR_OK)
        status = copy_bytes(m, "catalog.sqlite", "catalog.sqlite", mr_buf_view(&moment->catalog));
    if (status == MR_OK)
        status = copy_bytes(m, "store/keys/keyring", "keyring", mr_buf_view(&moment->keyring));
    if (status == MR_OK && keys)
        status = copy_keys(m);
    return status;
}

static int write_index(struct maker *m)
{
    char key[BACKUP_KEY_BYTES];
    struct mr_buf bytes = MR_BUF_INIT;
    int status = backup_index_encode(&m->index, &bytes);
    snprintf(key, sizeof key, "backups/%s/index", m->index.id);
    status = status == MR_OK ? m->target->put(m->target, key, mr_buf_view(&bytes), m->err) : no_memory(m);
    mr_buf_release(&bytes);
    return status;
}

int backup_make(const struct mr_io *io, const char *data, const struct backup_moment *moment, bool keys,
                int64_t wall_ns, struct backup_target *target, const struct backup_watch *watch,
                struct backup_result *out, struct mr_error *err)
{
    struct maker m = {.io = io, .data = data, .target = target, .watch = watch, .err = err};
    if (strlen(data) > PATH_BYTES / 2)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", data);
    make_id(&m, wall_ns);
    m.index.lsn = moment->lsn;
    m.index.keys = keys;
    m.buffer = mr_malloc(BACKUP_PART_BYTES);
    int status = m.buffer != NULL ? look_around(&m) : no_memory(&m);
    if (status == MR_OK)
        status = copy_all(&m, moment, keys);
    if (status == MR_OK)
        status = write_index(&m);
    *out = (struct backup_result){.progress = m.progress,
                                  .rows = m.index.rows,
                                  .log_entries = m.index.log_entries,
                                  .lsn = moment->lsn,
                                  .keys = keys};
    memcpy(out->id, m.index.id, sizeof out->id);
    for (size_t i = 0; i < m.nobjects; i++)
        mr_free(m.objects[i].key);
    mr_free(m.objects);
    mr_free(m.buffer);
    backup_index_release(&m.index);
    backup_index_release(&m.before);
    return status;
}
