/* wal/private.h - the open log, shared by the files of this folder and nobody else.
 *
 * Threads and locks
 *   appenders      wal_append, wal_notify: a short hold of `lock`, a copy into the last batch of the queue
 *   log thread     commit.c: takes the first batch, writes and syncs it without the lock, runs its waiters
 *   preparer       prepare.c: keeps one zero-filled segment ready under a temporary name
 *   trim           trim.c: serialised by `trim_lock`, which is taken before `lock`
 *
 * Invariants
 *   1. LSNs given out are durable_lsn < in flight < queued <= last_lsn, in one row without gaps.
 *   2. A batch is written as one frame, never split.
 *   3. A segment gets its name only when its header and first frame are on disk, so a named segment is never
 * empty.
 *   4. done_lsn <= durable_lsn: waiters run after their LSN is published.
 *   5. A segment's key is derived from an id drawn for this attempt to make it, and `counter` moves with each
 *      frame sealed: no nonce is used twice under a key, whatever fails.
 */
#ifndef MR_WAL_PRIVATE_H
#define MR_WAL_PRIVATE_H

#include "wal/read.h"
#include "wal/wal.h"

#include <pthread.h>

/* A frame in the making. `bytes` begins with room for the frame header, so that it is written as it lies. */
struct wal_batch {
    struct wal_batch *next;
    unsigned char *bytes; /* owned */
    size_t len;           /* header and payload so far */
    size_t cap;           /* a multiple of WAL_SECTOR: padding always fits */
    uint64_t first_lsn;
    uint32_t entries;
    struct wal_waiter *waiters, **waiters_end; /* ascending LSN */
};

struct wal {
    /* set by wal_open, constant since */
    const struct mr_io *io;
    const struct mr_clock *clock;
    struct seal_keyring *keyring;
    char *dir;
    int dir_fd; /* for fsync: names cannot become durable without it, so it is held from the start */
    uint64_t segment_bytes;
    size_t max_payload; /* of a frame */
    size_t max_entry, max_queue_bytes;
    uint32_t max_frame_entries;
    unsigned idle_mark_ms;

    pthread_mutex_t lock;

    /* queue; under lock */
    struct wal_batch *head, *last;
    struct wal_batch *spare; /* at most WAL_SPARES, for reuse */
    unsigned spares;
    size_t queue_bytes;                  /* entries in the queue, with their lengths */
    uint64_t queue_room;                 /* segment bytes the queue will take */
    uint64_t done_lsn;                   /* waiters up to here have run */
    struct wal_waiter *late, **late_end; /* attached to the frame in flight by wal_notify */
    bool sleeping;                       /* the log thread waits on `work` */
    bool stop;
    unsigned flushers;   /* threads waiting on `done` */
    pthread_cond_t work; /* to the log thread: queue, stop */
    pthread_cond_t done; /* to flushers: done_lsn moved, or room ran out */

    /* ready segment; under lock */
    int ready_fd;           /* -1: none */
    bool naming;            /* taken, and the temporary name is still its name */
    bool preparing;         /* an attempt is under way */
    bool room_failed;       /* the last attempt failed; what it said was logged */
    bool room_retry;        /* somebody asks for another attempt */
    bool stop_prepare;      /* also read without the lock, atomically */
    pthread_cond_t prepare; /* to the preparer */
    pthread_cond_t ready;   /* to the log thread: ready_fd or room_failed changed */

    /* segments; under lock */
    struct wal_segment_ref *segments; /* ascending; the last is the newest */
    size_t nsegments, segments_cap;
    uint64_t room; /* bytes left in the active segment for frames not yet taken from the queue */

    /* the log thread's own */
    int fd;                           /* active segment; -1 before the first frame */
    uint64_t sequence;                /* of the newest segment, active or recovered */
    struct wal_segment_header header; /* of the active segment, or of the one to become it */
    struct seal_key key;              /* its key */
    uint64_t counter;                 /* frames sealed under that key, written or not */
    struct seal_cipher *cipher;
    uint64_t offset;     /* of the next frame */
    uint64_t marked_lsn; /* highest durable LSN that is on disk as a mark */
    char path[WAL_PATH_BYTES];
    struct wal_batch mark; /* the empty frame */
    bool retire;           /* recovered segments have not been cut yet */
    int64_t recovered_end; /* where the newest recovered segment's frames end; -1: unknown */

    /* atomic */
    uint64_t durable_lsn, last_lsn;
    uint64_t found_lsn; /* highest LSN that was there at the start: durable, even while its frame waits to be
                           written again; fixed when wal_open returns */

    pthread_mutex_t trim_lock;
    pthread_t commit_thread, prepare_thread;
    struct wal_stats stats; /* under lock */
};

#define WAL_SPARES 2u

/* One line in the log, then abort(): the disk failed under acknowledged data (reliability rule 2). */
void wal_die(const char *what, const char *path, const char *why) __attribute__((noreturn, cold));

void wal_batch_init(struct wal_batch *batch);
/* Room for len bytes, the tag and the padding. */
int wal_batch_reserve(struct wal_batch *batch, size_t len) MR_MUST_USE;

/* Segment bytes the batch takes as a frame. */
static inline uint64_t wal_batch_room(const struct wal_batch *batch)
{
    return wal_frame_bytes(batch->len - WAL_FRAME_HEADER_BYTES);
}

void *wal_commit_main(void *wal);
void *wal_prepare_main(void *wal);

/* Waits for the ready segment and takes it for a frame of `need` bytes. -1: closing, and there is no room.
 * Log thread. */
int wal_ready_take(struct wal *wal, uint64_t need);
/* The segment taken has its own name now: the temporary one is free. Log thread. */
void wal_ready_named(struct wal *wal);
/* The segment taken turned out to be unusable: forget it and make another. Log thread. */
void wal_ready_reject(struct wal *wal, int fd, const char *why);
/* Somebody needs room that is not there: try again now. Under lock. */
void wal_ready_retry(struct wal *wal);

/* Makes the ready segment the active one, with the batch as its first frame; durable when it returns. false:
 * closing without room. Log thread. */
bool wal_roll(struct wal *wal, struct wal_batch *batch);
/* Seals the batch where it lies, as a frame of the segment in wal->header, and writes it at the offset; not
 * synced. Log thread. */
void wal_write_frame(struct wal *wal, int fd, uint64_t offset, struct wal_batch *batch);
/* Makes the batch just written to fd durable, and counts it. Log thread. */
void wal_sync(struct wal *wal, int fd, const struct wal_batch *batch);

#endif
