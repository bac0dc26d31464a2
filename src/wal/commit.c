/* wal/commit.c - the log thread: group commit.
 *
 * Happy path
 *   1. Take the first batch of the queue. While it is being written the next one fills: that is the whole of
 * group commit, there is no waiting for company.
 *   2. Seal the frame (LSNs, durable mark, payload, checksums) and write it with one pwrite into the active
 * segment, whose bytes exist already, then one fdatasync. A frame that does not fit goes into the next
 * segment (segment.c).
 *   3. Publish the durable LSN, then run the waiters in LSN order, then the late ones (wal_notify).
 *   4. Nothing to do for idle_mark_ms: write an empty frame with the durable mark, so that later damage to
 * the last acknowledged frame is not taken for a torn write. The same before closing.
 *
 * Failure modes
 *   write or sync fails      wal_die: nobody has been told anything, a restart finds out what is there.
 *   no segment to write to   prepare.c tries again; queued entries wait. When the disk refuses to name a
 * segment again and again (segment.c says how often) the process ends as after a failed write. On close they
 * are given up: not one waiter of theirs ran.
 */
#include "wal/private.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

void wal_die(const char *what, const char *path, const char *why)
{
    mr_log(MR_LOG_ERROR, "wal_failed", "operation=%s path=\"%s\" reason=\"%s\" action=abort", what, path,
           why);
    abort();
}

void wal_write_frame(struct wal *wal, int fd, uint64_t offset, struct wal_batch *b)
{
    struct wal_frame_header header = {
        .payload_bytes = (uint32_t)(b->len - WAL_FRAME_HEADER_BYTES),
        .entries = b->entries,
        .first_lsn = b->first_lsn,
        .durable_lsn = wal->durable_lsn,
        .offset = offset,
        .counter = wal->counter++,
    };
    size_t total = wal_frame_bytes(header.payload_bytes), end = b->len + SEAL_TAG_BYTES;
    MR_ASSERT(total <= b->cap && offset + total <= wal->segment_bytes);
    MR_ASSERT(header.durable_lsn + 1 == header.first_lsn);
    wal_frame_seal(&wal->header, &header, wal->cipher, &wal->key, b->bytes + WAL_FRAME_HEADER_BYTES);
    memcpy(b->bytes, &header, sizeof header);
    memset(b->bytes + end, 0, total - end); /* whole pages: the kernel need not read the old ones */
    struct mr_error err = MR_ERROR_INIT;
    if (mr_io_pwrite_full(wal->io, fd, b->bytes, total, (int64_t)offset, wal->path, &err) != MR_OK)
        wal_die("write", wal->path, err.text);
}

void wal_sync(struct wal *wal, int fd, const struct wal_batch *b)
{
    int64_t start = mr_clock_mono(wal->clock);
    int rc = wal->io->fdatasync(wal->io->ctx, fd);
    if (rc < 0)
        wal_die("fdatasync", wal->path, strerror(-rc));
    uint64_t took = (uint64_t)(mr_clock_mono(wal->clock) - start);
    pthread_mutex_lock(&wal->lock);
    wal->stats.frames++;
    wal->stats.entries += b->entries;
    wal->stats.bytes += wal_batch_room(b);
    wal->stats.syncs++;
    wal->stats.sync_ns_total += took;
    if (took > wal->stats.sync_ns_max)
        wal->stats.sync_ns_max = took;
    pthread_mutex_unlock(&wal->lock);
}

/* An empty frame would tell something new, and there is a place for it. Under lock. */
static bool mark_wanted(const struct wal *wal)
{
    return wal->marked_lsn < wal->durable_lsn && (wal->room >= WAL_SECTOR || wal->ready_fd >= 0);
}

/* Waits for work, at most for the idle time when a mark is wanted. false: the idle time is over. Under lock.
 */
static bool wait_for_work(struct wal *wal)
{
    int rc = 0;
    bool timed = wal->marked_lsn < wal->durable_lsn;
    struct timespec until = {0, 0};
    if (timed) { /* the condition variable lives by the system's monotonic clock, whatever clock the caller
                    has */
        int64_t at = mr_clock_mono(&mr_clock_system) + (int64_t)wal->idle_mark_ms * MR_NS_PER_MS;
        until = (struct timespec){at / MR_NS_PER_S, at % MR_NS_PER_S};
    }
    wal->sleeping = true;
    while (wal->head == NULL && !wal->stop && rc == 0)
        rc = timed ? pthread_cond_timedwait(&wal->work, &wal->lock, &until)
                   : pthread_cond_wait(&wal->work, &wal->lock);
    wal->sleeping = false;
    return wal->head != NULL || wal->stop || rc != ETIMEDOUT;
}

/* The batch's place in the active segment; one that does not fit leaves the rest of the segment empty. */
static void take_room(struct wal *wal, const struct wal_batch *b)
{
    uint64_t need = wal_batch_room(b);
    wal->room = need <= wal->room ? wal->room - need : 0;
}

/* The next frame to write: the first batch of the queue, or the mark. NULL: closing, and all is written.
 * Under lock. */
static struct wal_batch *take(struct wal *wal)
{
    bool idle = false;
    for (;;) {
        struct wal_batch *b = wal->head;
        if (b != NULL) {
            wal->head = b->next;
            if (wal->head == NULL)
                wal->last = NULL;
            wal->queue_bytes -= b->len - WAL_FRAME_HEADER_BYTES;
            wal->queue_room -= wal_batch_room(b);
            take_room(wal, b);
            return b;
        }
        if ((idle || wal->stop) && mark_wanted(wal)) {
            wal->mark.first_lsn = wal->durable_lsn + 1;
            take_room(wal, &wal->mark);
            return &wal->mark;
        }
        if (wal->stop)
            return NULL;
        idle = !wait_for_work(wal);
    }
}

/* Under lock. */
static void recycle(struct wal *wal, struct wal_batch *b)
{
    if (b == &wal->mark)
        return;
    if (wal->spares < WAL_SPARES) {
        b->next = wal->spare;
        wal->spare = b;
        wal->spares++;
        return;
    }
    mr_free(b->bytes);
    mr_free(b);
}

/* Runs the waiters of a durable batch, then those that came while it was in flight. Without the lock. */
static void run_waiters(struct wal *wal, struct wal_batch *b, uint64_t last)
{
    for (struct wal_waiter *w = b->waiters, *next; w != NULL; w = next) {
        next = w->next; /* done() may free the waiter */
        w->done(w);
    }
    pthread_mutex_lock(&wal->lock);
    while (wal->late != NULL) {
        struct wal_waiter *w = wal->late;
        wal->late = w->next;
        if (wal->late == NULL)
            wal->late_end = &wal->late;
        pthread_mutex_unlock(&wal->lock);
        w->done(w);
        pthread_mutex_lock(&wal->lock);
    }
    wal->done_lsn = last;
    if (wal->flushers != 0)
        pthread_cond_broadcast(&wal->done);
    pthread_mutex_unlock(&wal->lock);
}

/* Puts the batch on disk. false: closing, and there is no room. */
static bool write_batch(struct wal *wal, struct wal_batch *b)
{
    uint64_t need = wal_batch_room(b);
    if (wal->fd < 0 || wal->offset + need > wal->segment_bytes) {
        if (!wal_roll(wal, b))
            return false;
    } else {
        wal_write_frame(wal, wal->fd, wal->offset, b);
        wal_sync(wal, wal->fd, b);
        wal->offset += need;
    }
    wal->marked_lsn = b->first_lsn - 1;
    return true;
}

/* Closing without room: the batch goes back to the front, for wal_close to free. Under lock. */
static void give_up(struct wal *wal, struct wal_batch *b)
{
    mr_log(MR_LOG_ERROR, "wal_given_up", "first_lsn=%llu last_lsn=%llu reason=\"no segment could be made\"",
           (unsigned long long)b->first_lsn, (unsigned long long)wal->last_lsn);
    if (b == &wal->mark)
        return;
    b->next = wal->head;
    wal->head = b;
}

void *wal_commit_main(void *arg)
{
    struct wal *wal = arg;
    struct wal_batch *b;
    pthread_mutex_lock(&wal->lock);
    while ((b = take(wal)) != NULL) {
        pthread_mutex_unlock(&wal->lock);
        bool written = write_batch(wal, b);
        if (!written) {
            pthread_mutex_lock(&wal->lock);
            give_up(wal, b);
            break;
        }
        uint64_t last = b->first_lsn + b->entries - 1;
        __atomic_store_n(&wal->durable_lsn, last, __ATOMIC_RELEASE);
        run_waiters(wal, b, last);
        pthread_mutex_lock(&wal->lock);
        recycle(wal, b);
    }
    pthread_mutex_unlock(&wal->lock);
    return NULL;
}
