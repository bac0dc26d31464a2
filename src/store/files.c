/* store/files.c - the manifest and the files it names, from the first load to the last unlink.
 *
 * Every change is one commit of a manifest, which is durable before anybody acts on it. Two manifests are
 * kept and either may be the one a start finds, so a file that left the newest one lies in a grave until the
 * manifest before it is gone too; files_settle brings that about by committing the same state again.
 */
#include "store/private.h"

#include "base/log.h"
#include "magstore/newfile.h"
#include "store/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define PATH_BYTES 4096

/* ---- removing
 * -------------------------------------------------------------------------------------------------- */

/* Best effort: what stays is removed by the next start. */
void files_discard(struct store *store, enum magstore_kind kind, uint64_t number)
{
    char name[MAGSTORE_FILE_NAME_BYTES], path[PATH_BYTES];
    magstore_file_name(kind, number, name);
    snprintf(path, sizeof path, "%s/%s", store->files_dir, name);
    int rc = store->io.unlink(store->io.ctx, path);
    if (rc < 0 && rc != -ENOENT)
        mr_log(MR_LOG_WARN, "file_not_removed", "file=%s text=\"%s\"", name, strerror(-rc));
}

void files_empty_graves(struct store *store)
{
    size_t kept = 0;
    if (holds_any(store))
        return; /* somebody may be reading them */
    for (size_t i = 0; i < store->ngraves; i++) {
        if (store->graves[i].generation < store->manifest.generation)
            files_discard(store, store->graves[i].kind, store->graves[i].number);
        else
            store->graves[kept++] = store->graves[i];
    }
    store->ngraves = kept;
}

static int dig_grave_at(struct store *store, const struct magstore_file *file, uint64_t generation)
{
    if (mr_grow((void **)&store->graves, &store->graves_cap, store->ngraves + 1, sizeof *store->graves) !=
        MR_OK)
        return MR_ENOMEM;
    store->graves[store->ngraves++] = (struct store_grave){file->kind, file->number, generation};
    return MR_OK;
}

static int dig_grave(struct store *store, const struct magstore_file *file)
{
    return dig_grave_at(store, file, store->manifest.highest + 1);
}

int files_bury_leftover(struct store *store, struct mr_error *err)
{
    struct magstore_file *files;
    size_t n;
    if (store->manifest.generation == 0 || store->manifest.fell_back)
        return MR_OK; /* nobody knows what the newest named; the next start removes what none does */
    int rc = magstore_manifest_leftover(&store->io, store->files_dir, &store->manifest, &files, &n, err);
    for (size_t i = 0; i < n && rc == MR_OK; i++)
        rc = dig_grave_at(store, &files[i], store->manifest.generation);
    mr_free(files);
    return rc;
}

/* ---- committing
 * ------------------------------------------------------------------------------------------------ */

/* Files of dropped tables out of the manifest and into graves. */
static int leave_out_dropped(struct store *store, struct magstore_manifest *m)
{
    size_t kept = 0;
    uint64_t known = 0;
    bool dropped = false;
    for (size_t i = 0; i < m->nfiles; i++) {
        if (i == 0 || m->files[i].table != known) {
            known = m->files[i].table;
            dropped = table_is_gone(store, known);
        }
        if (!dropped)
            m->files[kept++] = m->files[i];
        else if (dig_grave(store, &m->files[i]) != MR_OK)
            return MR_ENOMEM;
    }
    m->nfiles = kept;
    return MR_OK;
}

static int apply_change(struct store *store, const struct store_change *c, struct magstore_manifest *m,
                        struct mr_error *err)
{
    for (size_t i = 0; i < c->nremove; i++) {
        if (!magstore_manifest_remove(m, c->remove[i].kind, c->remove[i].number))
            return mr_error_set(err, MR_ECANCEL, "a file that was to be replaced has gone");
        if (dig_grave(store, &c->remove[i]) != MR_OK)
            return MR_ENOMEM;
    }
    for (size_t i = 0; i < c->nadd; i++)
        if (magstore_manifest_add(m, &c->add[i]) != MR_OK)
            return MR_ENOMEM;
    if (c->wal_low > m->wal_low)
        m->wal_low = c->wal_low;
    return leave_out_dropped(store, m);
}

/* A little room kept for the moment when the disk is full: a commit that only removes files needs some to
 * free much (reliability rule 4). */
#define BALLAST_NAME "ballast"
#define BALLAST_BYTES (256 << 10)

static void ballast_path(const struct store *store, char out[static PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s", store->files_dir, BALLAST_NAME);
}

/* Best effort; tried again after the next commit. */
void files_keep_ballast(struct store *store)
{
    char path[PATH_BYTES];
    if (store->ballast)
        return;
    ballast_path(store, path);
    int fd = store->io.open(store->io.ctx, path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0)
        return;
    store->ballast = store->io.fallocate(store->io.ctx, fd, 0, BALLAST_BYTES) >= 0;
    store->io.close(store->io.ctx, fd);
    if (!store->ballast)
        (void)store->io.unlink(store->io.ctx, path);
}

static bool spend_ballast(struct store *store)
{
    char path[PATH_BYTES];
    ballast_path(store, path);
    bool spent = store->ballast && store->io.unlink(store->io.ctx, path) >= 0;
    store->ballast = false;
    /* Some file systems give blocks back only when the unlink is on disk. */
    return spent && mr_io_sync_dir_or_die(&store->io, store->files_dir, NULL) == MR_OK;
}

static int commit_manifest(struct store *store, struct magstore_manifest *next, bool frees,
                           struct mr_error *err)
{
    struct mr_error first = MR_ERROR_INIT;
    int rc = magstore_manifest_commit(&store->io, store->files_dir, next, &first);
    if (rc == MR_ENOSPC && frees && spend_ballast(store))
        return magstore_manifest_commit(&store->io, store->files_dir, next, err);
    return rc == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)rc, "%s", first.text);
}

static int commit_locked(struct store *store, const struct store_change *change, uint64_t *flushes,
                         struct mr_error *err)
{
    struct magstore_manifest next = MAGSTORE_MANIFEST_INIT;
    struct store_view *view = NULL;
    size_t graves = store->ngraves;
    int rc = magstore_manifest_copy(&store->manifest, &next);
    if (rc == MR_OK)
        rc = apply_change(store, change, &next, err);
    if (rc == MR_OK)
        rc = view_make(&next, store->view, change->fresh, change->nfresh, &view);
    if (rc == MR_OK)
        rc = commit_manifest(store, &next, change->frees, err);
    if (rc != MR_OK) {
        store->ngraves = graves;
        view_unref(view);
        magstore_manifest_release(&next);
        return mr_error_set(err, (enum mr_status)rc, "cannot commit a manifest");
    }
    magstore_manifest_release(&store->manifest);
    store->manifest = next;
    *flushes = snapshot_install(store, view, change->flushed);
    files_empty_graves(store);
    files_keep_ballast(store);
    return MR_OK;
}

int files_commit(struct store *store, const struct store_change *change, uint64_t *flushes,
                 struct mr_error *err)
{
    pthread_mutex_lock(&store->commit_lock);
    int rc = commit_locked(store, change, flushes, err);
    pthread_mutex_unlock(&store->commit_lock);
    return rc;
}

int files_settle(struct store *store, bool frees, struct mr_error *err)
{
    const struct store_change nothing = {.frees = frees};
    uint64_t flushes;
    return files_commit(store, &nothing, &flushes, err);
}

uint64_t files_number(struct store *store)
{
    pthread_mutex_lock(&store->commit_lock);
    uint64_t number = store->manifest.next_file++;
    pthread_mutex_unlock(&store->commit_lock);
    return number;
}

int files_list(struct store *store, uint64_t table, struct magstore_file **out, size_t *count)
{
    pthread_mutex_lock(&store->commit_lock);
    const struct magstore_manifest *m = &store->manifest;
    *count = 0;
    *out = mr_calloc(m->nfiles, sizeof **out);
    for (size_t i = 0; *out != NULL && i < m->nfiles; i++)
        if (table == 0 || m->files[i].table == table)
            (*out)[(*count)++] = m->files[i];
    pthread_mutex_unlock(&store->commit_lock);
    return *out != NULL ? MR_OK : MR_ENOMEM;
}

/* ---- age
 * ------------------------------------------------------------------------------------------------------ */

/* Is the file of no use any more? Names stay as long as their table. */
static bool is_over(struct store *store, const struct magstore_file *file)
{
    return table_is_gone(store, file->table) ||
           (file->kind == MAGSTORE_SEGMENT && magstore_plan_expired(file, table_cutoff(store, file->table)));
}

int files_expire(struct store *store, uint64_t table, struct mr_error *err)
{
    struct magstore_file *files;
    size_t n, over = 0;
    uint64_t flushes;
    if (files_list(store, table, &files, &n) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "no memory to expire files");
    for (size_t i = 0; i < n; i++)
        if (is_over(store, &files[i]))
            files[over++] = files[i];
    struct store_change change = {.remove = files, .nremove = over, .frees = true};
    int rc = over != 0 ? files_commit(store, &change, &flushes, err) : MR_OK;
    if (rc == MR_OK && over != 0)
        rc = files_settle(store, true, err);
    if (rc == MR_ECANCEL)
        rc = MR_OK; /* a merge was faster; what it left is seen next time */
    else if (rc == MR_OK && over != 0)
        mr_log(MR_LOG_INFO, "files_expired", "files=%zu", over);
    mr_free(files);
    return rc;
}
