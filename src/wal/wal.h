/* wal/wal.h - the write-ahead log: an entry appended here and reported durable survives kill -9 and power
 * loss.
 *
 * One log thread gathers everything queued into a frame (group commit), writes it with one pwrite into a
 * pre-zeroed segment, makes it durable with one fdatasync, publishes the LSN and tells the waiters, in LSN
 * order. The format at byte offsets and the recovery rule are in docs/format/wal.md; the bytes of an entry
 * are the caller's business.
 *
 * A failed write or sync of the log aborts the process (a page the kernel failed to write is marked clean, so
 * a second fsync lies). Running out of space while preparing a segment does not: appends answer MR_ENOSPC
 * until there is room again.
 */
#ifndef MR_WAL_WAL_H
#define MR_WAL_WAL_H

#include "base/clock.h"
#include "base/io.h"

struct wal;
struct seal_keyring;

struct wal_options {
    const struct mr_io *io;
    const struct mr_clock *clock;
    struct seal_keyring *keyring; /* outlives the log; segments are sealed under its SEAL_SCOPE_STORE keys */
    const char *dir;              /* exists; the log owns everything in it named by its pattern */
    uint64_t segment_bytes;       /* 0: 64 MiB */
    size_t max_frame_bytes;       /* payload of one group commit; 0: 8 MiB */
    size_t max_queue_bytes;       /* entries waiting for a frame; appends beyond answer MR_EBUSY; 0: 32 MiB */
    unsigned max_frame_entries;   /* entries of one group commit; 0: 1,024 */
    unsigned idle_mark_ms;        /* idle time after which an empty frame carries the durable mark; 0: 50 */
    uint64_t need_lsn;            /* oldest entry that must be there, else MR_ECORRUPT; 0: unchecked */
};

/* Called once for each entry found at start, in LSN order. A non-zero return stops the open with that status.
 */
typedef int wal_replay_fn(void *ctx, uint64_t lsn, struct mr_str entry, struct mr_error *err);

/* Embedded in the caller's object; the log links it into its queue. done() runs on the log thread, in LSN
 * order, must not block (nor call wal_flush or wal_trim) and may free the waiter. It may append. */
struct wal_waiter {
    void (*done)(struct wal_waiter *waiter); /* set by the caller: the entry is durable */
    struct wal_waiter *next;                 /* the log's */
    uint64_t lsn;                            /* the log's: what is waited for */
};

/* Recovers what is there (replaying it), then starts the log thread. A torn tail is cut; damage to entries
 * that were acknowledged is MR_ECORRUPT with a report that names segment, offset and LSNs, and nothing on
 * disk is changed. Everything replayed is durable when it returns. A full disk does not stop the open, only
 * the appends. Segments are at least 8 KiB; max_frame_bytes is lowered to what fits into one. */
int wal_open(const struct wal_options *options, wal_replay_fn *replay, void *ctx, struct wal **out,
             struct mr_error *err);

/* Queues a copy of the entry (at most max_frame_bytes, else MR_ELIMIT) and returns its LSN, which counts from
 * 1 without gaps. `waiter` and `lsn` may be NULL. MR_EBUSY: the queue is full, nothing was queued. MR_ENOSPC:
 * no segment could be made. MR_ENOMEM. Never waits for a disk. Thread-safe, like all below up to wal_close.
 */
int wal_append(struct wal *wal, struct mr_str entry, struct wal_waiter *waiter, uint64_t *lsn);

/* Calls the waiter when everything appended so far is durable, after the waiters of those entries; runs it
 * before returning, on the calling thread, when they all have run. */
void wal_notify(struct wal *wal, struct wal_waiter *waiter);

/* Blocks until everything appended so far is durable and its waiters have run (on a full disk: until there is
 * room). */
void wal_flush(struct wal *wal);

uint64_t wal_durable_lsn(const struct wal *wal); /* highest LSN whose entry is on disk */
uint64_t wal_last_lsn(const struct wal *wal);    /* highest LSN given out */

/* Entries up to and including `lsn` are no longer needed (what they said is durable elsewhere); removes
 * segments that hold nothing else, durably. The newest segment always stays. May wait for the disk. */
int wal_trim(struct wal *wal, uint64_t lsn, struct mr_error *err);

struct wal_stats {
    uint64_t frames, entries, bytes, syncs, sync_ns_total, sync_ns_max, segments, queue_bytes,
        replayed_entries, replayed_bytes, torn_bytes;
};
void wal_stats(const struct wal *wal, struct wal_stats *out);

/* Flushes, writes the durable mark, stops the threads, closes. On a disk that stays full the entries that
 * never found room are given up; their waiters do not run. No other call may be under way. NULL is fine. */
void wal_close(struct wal *wal);

#endif
