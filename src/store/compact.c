/* store/compact.c - several segments of a table become one, beside everything else that goes on.
 *
 * A merge reads immutable files and writes a new one; only its commit is serialised with other changes. If
 * one of its inputs has left the manifest by then (its table was dropped, it expired), the result is thrown
 * away.
 */
#include "store/private.h"

#include "base/log.h"

struct merge_job {
    uint64_t table;
    int64_t cutoff;
    struct magstore_file *files; /* of the table */
    size_t nfiles;
    struct magstore_job plan;
};

/* A file of those that is to be written again because it is under an old key. Which one costs least to look
 * for: the first. */
static bool find_outdated(struct store *store, const struct magstore_file *files, size_t n, int64_t cutoff,
                          struct magstore_job *plan)
{
    for (size_t i = 0; i < n; i++) {
        if (!keys_outdated(store, &files[i]) || magstore_plan_expired(&files[i], cutoff))
            continue;
        *plan = (struct magstore_job){.files = {i}, .nfiles = 1, .level = files[i].level, .cutoff = cutoff};
        return true;
    }
    return false;
}

/* The first table with something to merge, or to write again under a new key. Files are listed by table. */
static int find_job(struct store *store, struct merge_job *job)
{
    struct magstore_file *all;
    size_t n;
    int rc = files_list(store, 0, &all, &n);
    job->files = all;
    for (size_t first = 0; rc == MR_OK && first < n;) {
        size_t end = first, segments = 0;
        for (; end < n && all[end].table == all[first].table; end++)
            if (all[end].kind == MAGSTORE_SEGMENT)
                all[first + segments++] = all[end];
        job->table = all[first].table;
        job->cutoff = table_cutoff(store, job->table);
        if (!table_can_merge(store, job->table))
            segments = 0;
        magstore_plan_merge(&store->policy, all + first, segments, NULL, job->cutoff, &job->plan);
        if (job->plan.nfiles != 0 || find_outdated(store, all + first, segments, job->cutoff, &job->plan)) {
            memmove(all, all + first, segments * sizeof *all);
            job->nfiles = segments;
            return MR_OK;
        }
        first = end;
    }
    job->plan.nfiles = 0;
    return rc;
}

static bool stop(void *store)
{
    return keeper_stopping(store);
}

static int open_inputs(const struct store_view *view, const struct merge_job *job,
                       struct magstore_reader **readers, struct mr_error *err)
{
    for (size_t i = 0; i < job->plan.nfiles; i++) {
        const struct magstore_file *file = &job->files[job->plan.files[i]];
        const struct store_segment *segment = view_segment(view, file);
        if (segment == NULL)
            return MR_ECANCEL;
        if (segment->reader == NULL)
            return segment->closed
                       ? (int)MR_ECANCEL
                       : (int)mr_error_set(err, segment->damage.status, "%s", segment->damage.text);
        readers[i] = segment->reader;
    }
    return MR_OK;
}

/* Writes the merged segment. *fresh NULL: every row had expired. */
static int write_merged(struct store *store, const struct merge_job *job,
                        struct magstore_reader *const *readers, struct magstore_file *file,
                        struct store_segment **fresh, struct mr_error *err)
{
    struct magstore_merged merged;
    struct magstore_writer *writer;
    uint64_t number = files_number(store);
    const struct magstore_place place = {
        &store->io, store->files_dir, store->keyring, job->files[0].database, job->table, number};
    int rc = magstore_writer_open(&place, &writer, err);
    if (rc != MR_OK)
        return rc;
    rc = magstore_merge_into(readers, job->plan.nfiles, job->plan.cutoff, INT64_MAX, writer, stop, store,
                             &merged, err);
    if (rc != MR_OK || merged.rows_out == 0) {
        magstore_writer_abort(writer);
        return rc;
    }
    rc = segment_finish(store, writer, number, job->plan.level, file, fresh, err);
    if (rc == MR_OK) {
        __atomic_fetch_add(&store->counters.compacted_rows, merged.rows_out, __ATOMIC_RELAXED);
        __atomic_fetch_add(&store->counters.compacted_bytes, file->size, __ATOMIC_RELAXED);
    }
    return rc;
}

static int commit_merge(struct store *store, const struct merge_job *job, const struct magstore_file *file,
                        struct store_segment *fresh, struct mr_error *err)
{
    struct magstore_file inputs[MAGSTORE_MAX_FANIN];
    uint64_t flushes;
    for (size_t i = 0; i < job->plan.nfiles; i++)
        inputs[i] = job->files[job->plan.files[i]];
    const struct store_change change = {.add = file,
                                        .nadd = fresh != NULL,
                                        .fresh = &fresh,
                                        .nfresh = fresh != NULL,
                                        .remove = inputs,
                                        .nremove = job->plan.nfiles};
    int rc = files_commit(store, &change, &flushes, err);
    if (rc != MR_OK && fresh != NULL)
        files_discard(store, MAGSTORE_SEGMENT, file->number);
    return rc == MR_OK ? files_settle(store, false, err) : rc;
}

static int run_job(struct store *store, const struct merge_job *job, struct mr_error *err)
{
    struct magstore_reader *readers[MAGSTORE_MAX_FANIN];
    struct magstore_file file;
    struct store_segment *fresh = NULL;
    struct store_view *view = snapshot_view(store);
    int rc = open_inputs(view, job, readers, err);
    if (rc == MR_OK)
        rc = write_merged(store, job, readers, &file, &fresh, err);
    if (rc == MR_OK)
        rc = commit_merge(store, job, &file, fresh, err);
    if (rc == MR_OK) {
        __atomic_fetch_add(&store->counters.compactions, 1, __ATOMIC_RELAXED);
        mr_log(MR_LOG_INFO, "merged", "table=%llu files=%zu level=%u bytes=%llu",
               (unsigned long long)job->table, job->plan.nfiles, (unsigned)job->plan.level,
               (unsigned long long)(fresh != NULL ? file.size : 0));
    }
    if (rc == MR_ECORRUPT) /* the others go on; a start forgets this and tries again */
        table_no_merge(store, job->table);
    segment_unref(fresh);
    view_unref(view);
    return rc;
}

int compact_once(struct store *store, bool *did, struct mr_error *err)
{
    struct merge_job job = {.files = NULL};
    pthread_mutex_lock(&store->compact_lock);
    int rc = find_job(store, &job);
    *did = rc == MR_OK && job.plan.nfiles != 0;
    if (*did)
        rc = run_job(store, &job, err);
    else if (rc == MR_OK)
        rc = keys_retire(store, err);
    mr_free(job.files);
    pthread_mutex_unlock(&store->compact_lock);
    return rc == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)rc, "cannot merge segments");
}

/* A segment with rows on both sides of the cutoff, as a job of its own; of those numbered above `after`, the
 * one with the least number. */
static int find_straddling(struct store *store, uint64_t table, int64_t cutoff, uint64_t after,
                           struct merge_job *job)
{
    *job = (struct merge_job){.table = table, .cutoff = cutoff};
    int rc = files_list(store, table, &job->files, &job->nfiles);
    size_t best = job->nfiles;
    for (size_t i = 0; rc == MR_OK && i < job->nfiles; i++) {
        const struct magstore_file *file = &job->files[i];
        if (file->kind == MAGSTORE_SEGMENT && file->number > after && file->time_min < cutoff &&
            (best == job->nfiles || file->number < job->files[best].number))
            best = i;
    }
    if (rc == MR_OK && best < job->nfiles)
        job->plan = (struct magstore_job){
            .files = {best}, .nfiles = 1, .level = job->files[best].level, .cutoff = cutoff};
    return rc;
}

int compact_purge(struct store *store, uint64_t table, int64_t cutoff, struct mr_error *err)
{
    int rc = MR_OK;
    bool more = true;
    pthread_mutex_lock(
        &store->compact_lock); /* so nothing else takes a file away, but for a drop of the table */
    for (uint64_t after = 0; rc == MR_OK && more;) {
        struct merge_job job;
        rc = find_straddling(store, table, cutoff, after, &job);
        more = rc == MR_OK && job.plan.nfiles != 0;
        if (more) {
            after = job.files[job.plan.files[0]].number;
            rc = run_job(store, &job, err);
        }
        if (rc == MR_ECORRUPT || (rc == MR_ECANCEL && !keeper_stopping(store)))
            rc = MR_OK;
        mr_free(job.files);
    }
    pthread_mutex_unlock(&store->compact_lock);
    return rc == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)rc, "cannot remove expired rows");
}

int store_compact(struct store *store, struct mr_error *err)
{
    bool did = true;
    int rc = files_expire(store, 0, err);
    while (rc == MR_OK && did)
        rc = compact_once(store, &did, err);
    return rc;
}
