/* wal/open.c - recovery, the threads, and the end of them.
 *
 * Happy path
 *   1. Recover (recover.c): the caller sees every entry, nothing on disk changes.
 *   2. Entries that may not be on disk although they were read (the tail) go back into the queue, with the
 * LSNs they have. They become the first frame of the next segment, which makes their older copies void.
 *   3. Start the threads and wait until the tail is durable. Without a tail nothing is written before the
 * first append: a process that starts and dies in a loop leaves no segments behind.
 *
 * Failure modes
 *   damage          MR_ECORRUPT; nothing was written.
 *   no room         The log opens all the same, so that queries and retention go on; appends answer
 * MR_ENOSPC. The tail stays where it was read, after a sync of that file. crash           The old segments
 * are untouched until the new one is durable: the next start reads the same log.
 */
#include "wal/private.h"

#include "base/log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#define DEFAULT_SEGMENT (64u << 20)
#define DEFAULT_FRAME (8u << 20)
#define DEFAULT_QUEUE (32u << 20)
#define DEFAULT_ENTRIES 1024u
#define DEFAULT_IDLE_MS 50u

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static int take_options(struct wal *wal, const struct wal_options *o, struct mr_error *err)
{
    wal->io = o->io;
    wal->clock = o->clock;
    wal->keyring = o->keyring;
    if (strlen(o->dir) + WAL_NAME_BYTES >= WAL_PATH_BYTES)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", o->dir);
    wal->dir = mr_strndup(o->dir, strlen(o->dir));
    if (wal->dir == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening the log");
    uint64_t bytes = or_default(o->segment_bytes, DEFAULT_SEGMENT);
    if (bytes > INT64_MAX / 2)
        return mr_error_set(err, MR_EINVAL, "segment size out of range");
    wal->segment_bytes = (bytes + WAL_SECTOR - 1) / WAL_SECTOR * WAL_SECTOR;
    if (wal->segment_bytes < 2 * WAL_SECTOR)
        wal->segment_bytes = 2 * WAL_SECTOR;
    uint64_t entry = or_default(o->max_frame_bytes, DEFAULT_FRAME);
    uint64_t fits =
        wal->segment_bytes - WAL_SECTOR - WAL_FRAME_HEADER_BYTES - SEAL_TAG_BYTES - WAL_VARINT_MAX;
    entry = entry < fits ? entry : fits;
    entry = entry < WAL_MAX_PAYLOAD - WAL_VARINT_MAX ? entry : WAL_MAX_PAYLOAD - WAL_VARINT_MAX;
    wal->max_entry = entry;
    wal->max_payload = entry + WAL_VARINT_MAX;
    wal->max_queue_bytes = or_default(o->max_queue_bytes, DEFAULT_QUEUE);
    if (wal->max_queue_bytes < wal->max_payload)
        wal->max_queue_bytes = wal->max_payload; /* or the largest entry would be busy for ever */
    wal->max_frame_entries = (uint32_t)or_default(o->max_frame_entries, DEFAULT_ENTRIES);
    wal->idle_mark_ms = (unsigned)or_default(o->idle_mark_ms, DEFAULT_IDLE_MS);
    return MR_OK;
}

static void init_locks(struct wal *wal)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&wal->lock, NULL);
    pthread_mutex_init(&wal->trim_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&wal->work, &attr);
    pthread_cond_init(&wal->done, &attr);
    pthread_cond_init(&wal->prepare, &attr);
    pthread_cond_init(&wal->ready, &attr);
    pthread_condattr_destroy(&attr);
}

static void release(struct wal *wal)
{
    struct wal_batch *lists[] = {wal->head, wal->spare};
    for (size_t i = 0; i < MR_ARRAY_LEN(lists); i++) {
        for (struct wal_batch *b = lists[i], *next; b != NULL; b = next) {
            next = b->next;
            mr_free(b->bytes);
            mr_free(b);
        }
    }
    mr_free(wal->mark.bytes);
    seal_cipher_free(wal->cipher);
    seal_key_wipe(&wal->key);
    if (wal->fd >= 0)
        wal->io->close(wal->io->ctx, wal->fd);
    if (wal->dir_fd >= 0)
        wal->io->close(wal->io->ctx, wal->dir_fd);
    mr_free(wal->segments);
    mr_free(wal->dir);
    pthread_mutex_destroy(&wal->lock);
    pthread_mutex_destroy(&wal->trim_lock);
    pthread_cond_destroy(&wal->work);
    pthread_cond_destroy(&wal->done);
    pthread_cond_destroy(&wal->prepare);
    pthread_cond_destroy(&wal->ready);
    mr_free(wal);
}

/* Step 2. The queue was empty, so the tail is its first batch, and whole. */
static int requeue_tail(struct wal *wal, const struct wal_recovery *r, struct mr_error *err)
{
    if (r->tail_entries == 0)
        return MR_OK;
    struct wal_batch *b = mr_calloc(1, sizeof *b);
    if (b == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening the log");
    wal_batch_init(b);
    wal->head = wal->last = b;
    if (wal_batch_reserve(b, b->len + r->tail.len) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening the log");
    memcpy(b->bytes + b->len, r->tail.ptr, r->tail.len);
    b->len += r->tail.len;
    b->first_lsn = r->tail_lsn;
    b->entries = r->tail_entries;
    wal->queue_bytes = r->tail.len;
    wal->queue_room = wal_batch_room(b);
    if (wal->segment_bytes < WAL_SECTOR + wal->queue_room) /* written by a log with larger segments */
        wal->segment_bytes = WAL_SECTOR + wal->queue_room;
    return MR_OK;
}

static int recover(struct wal *wal, const struct wal_options *o, wal_replay_fn *replay, void *ctx,
                   struct mr_error *err)
{
    struct wal_recovery r;
    int status = wal_recover(wal->io, wal->dir, wal->keyring, o->need_lsn, replay, ctx, &r, err);
    if (status == MR_OK)
        status = requeue_tail(wal, &r, err);
    if (status != MR_OK)
        goto done;
    wal->last_lsn = r.next_lsn - 1;
    wal->durable_lsn = wal->done_lsn = wal->marked_lsn =
        r.tail_entries != 0 ? r.tail_lsn - 1 : r.next_lsn - 1;
    wal->sequence = r.count != 0 ? r.segments[r.count - 1].sequence : 0;
    wal->segments = r.segments;
    wal->nsegments = r.count;
    wal->segments_cap = r.cap;
    r.segments = NULL;
    wal->retire = r.count != 0;
    wal->recovered_end = r.end;
    wal->stats.replayed_entries = r.entries;
    wal->stats.replayed_bytes = r.bytes;
    wal->stats.torn_bytes = r.torn_bytes;
    if (r.torn_bytes != 0)
        mr_log(MR_LOG_WARN, "wal_torn_tail", "dir=\"%s\" cut_before_lsn=%llu bytes=%llu", wal->dir,
               (unsigned long long)r.next_lsn, (unsigned long long)r.torn_bytes);
done:
    wal_recovery_release(&r);
    return status;
}

static int start(struct wal *wal, struct mr_error *err)
{
    int rc = pthread_create(&wal->commit_thread, NULL, wal_commit_main, wal);
    if (rc != 0)
        return mr_error_errno(err, MR_ENOMEM, rc, "cannot start the log thread");
    rc = pthread_create(&wal->prepare_thread, NULL, wal_prepare_main, wal);
    if (rc == 0)
        return MR_OK;
    /* The log thread has no segment and gets none: let it see that, and end. */
    pthread_mutex_lock(&wal->lock);
    wal->stop = wal->room_failed = true;
    pthread_cond_signal(&wal->work);
    pthread_cond_signal(&wal->ready);
    pthread_mutex_unlock(&wal->lock);
    pthread_join(wal->commit_thread, NULL);
    return mr_error_errno(err, MR_ENOMEM, rc, "cannot start the log's preparer");
}

/* Step 3. false: there is no room for it. */
static bool wait_for_tail(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    wal->flushers++;
    while (wal->done_lsn < wal->last_lsn && !(wal->room_failed && wal->ready_fd < 0))
        pthread_cond_wait(&wal->done, &wal->lock);
    wal->flushers--;
    bool durable = wal->done_lsn == wal->last_lsn;
    pthread_mutex_unlock(&wal->lock);
    return durable;
}

/* The tail could not be written again: the least that can be done is to sync the file it was read from. */
static int sync_newest(struct wal *wal, struct mr_error *err)
{
    char name[WAL_NAME_BYTES], path[WAL_PATH_BYTES];
    pthread_mutex_lock(&wal->lock);
    uint64_t sequence = wal->segments[wal->nsegments - 1].sequence;
    pthread_mutex_unlock(&wal->lock);
    wal_segment_name(sequence, name);
    snprintf(path, sizeof path, "%s/%s", wal->dir, name);
    int fd = wal->io->open(wal->io->ctx, path, O_RDWR, 0);
    int rc = fd < 0 ? fd : wal->io->fdatasync(wal->io->ctx, fd);
    if (fd >= 0)
        wal->io->close(wal->io->ctx, fd);
    return rc < 0 ? mr_error_errno(err, MR_EIO, -rc, "cannot sync %s", path) : MR_OK;
}

/* Makes the log's data key if there is none, so that the log thread finds one and never waits for it. */
static int first_key(struct wal *wal, struct mr_error *err)
{
    struct seal_key key;
    uint32_t generation;
    int status = seal_keyring_newest(wal->keyring, SEAL_SCOPE_STORE, &generation, &key, err);
    seal_key_wipe(&key);
    return status;
}

int wal_open(const struct wal_options *options, wal_replay_fn *replay, void *ctx, struct wal **out,
             struct mr_error *err)
{
    struct wal *wal = mr_calloc(1, sizeof *wal);
    *out = NULL;
    if (wal == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening the log");
    wal->fd = wal->dir_fd = wal->ready_fd = -1;
    wal->late_end = &wal->late;
    wal_batch_init(&wal->mark);
    init_locks(wal);
    int status = take_options(wal, options, err);
    if (status == MR_OK &&
        (wal_batch_reserve(&wal->mark, wal->mark.len) != MR_OK || seal_cipher_new(&wal->cipher) != MR_OK))
        status = mr_error_set(err, MR_ENOMEM, "out of memory opening the log");
    if (status != MR_OK)
        goto done;
    wal->dir_fd = wal->io->open(wal->io->ctx, wal->dir, O_RDONLY | O_DIRECTORY, 0);
    if (wal->dir_fd < 0) {
        status = mr_error_errno(err, mr_io_status(wal->dir_fd), -wal->dir_fd, "cannot open %s", wal->dir);
        goto done;
    }
    status = recover(wal, options, replay, ctx, err);
    if (status == MR_OK)
        status = first_key(wal, err);
    if (status == MR_OK)
        status = start(wal, err);
    if (status != MR_OK)
        goto done;
    uint64_t found = wal_last_lsn(wal);
    if (!wait_for_tail(wal))
        status = sync_newest(wal, err);
    wal->found_lsn = found; /* nobody else has the log yet */
    if (status != MR_OK) {
        wal_close(wal);
        return status;
    }
done:
    if (status != MR_OK)
        release(wal);
    else
        *out = wal;
    return status;
}

void wal_stats(const struct wal *wal, struct wal_stats *out)
{
    struct wal *w = (struct wal *)wal; /* the lock is not part of what const promises */
    pthread_mutex_lock(&w->lock);
    *out = w->stats;
    out->segments = w->nsegments;
    out->queue_bytes = w->queue_bytes;
    pthread_mutex_unlock(&w->lock);
}

void wal_close(struct wal *wal)
{
    if (wal == NULL)
        return;
    pthread_mutex_lock(&wal->lock);
    wal->stop = true;
    if (wal->head != NULL || wal->done_lsn != wal->last_lsn)
        wal_ready_retry(wal); /* one last attempt to find room for what is queued */
    pthread_cond_signal(&wal->work);
    pthread_cond_signal(&wal->ready);
    pthread_mutex_unlock(&wal->lock);
    pthread_join(wal->commit_thread, NULL);
    pthread_mutex_lock(&wal->lock);
    __atomic_store_n(&wal->stop_prepare, true, __ATOMIC_RELAXED);
    pthread_cond_signal(&wal->prepare);
    pthread_mutex_unlock(&wal->lock);
    pthread_join(wal->prepare_thread, NULL);
    if (wal->ready_fd >= 0) {
        snprintf(wal->path, sizeof wal->path, "%s/%s", wal->dir, WAL_TEMP_NAME);
        wal->io->close(wal->io->ctx, wal->ready_fd);
        wal->io->unlink(wal->io->ctx, wal->path);
    }
    release(wal);
}
