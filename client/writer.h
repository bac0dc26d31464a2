/* client/writer.h - the inside of a batching writer. Private to writer.c and writer_send.c.
 *
 * The life of a batch:
 *
 *   OPEN ──full, lingered, flushed──▶ QUEUED ──a sender takes it──▶ SENDING ──▶ gone (written, rejected)
 *                                       ▲  │                          │
 *                                       │  └──outage, or ALWAYS──▶ SPOOLING ──▶ gone (on disk)
 *                                       └───────────outage────────────┘   └─disk refuses─▶ QUEUED
 *
 * All batches in memory are in one list by age. A flush waits until the oldest one is younger than it. Frames
 * of the spool are sent by the same threads, after what is in memory.
 *
 * During an outage (outage_attempt > 0) one sender at a time probes, after pauses that grow.
 */
#ifndef MR_CLIENT_WRITER_H
#define MR_CLIENT_WRITER_H

#include <pthread.h>

#include "client/batch.h"
#include "client/client.h"
#include "client/spool.h"

enum batch_state {
    BATCH_OPEN,
    BATCH_QUEUED,
    BATCH_SENDING,
    BATCH_SPOOLING,
};

struct batch {
    struct batch *older, *newer;
    enum batch_state state;
    struct mr_buf bytes; /* packed records */
    unsigned records;
    uint64_t seq;
    int64_t opened_ns, failed_ns; /* failed_ns 0: not yet */
    uint64_t ended[2];            /* bits of records that have ended already */
};

struct mr_writer {
    struct mr_client *client;
    struct mr_arena arena; /* of the names */
    struct mr_str database, table;
    struct mr_writer_options options;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;  /* for senders */
    pthread_cond_t room;  /* for append and flush: something has ended */
    struct batch *oldest, *newest;
    struct batch *open; /* NULL, or the newest */
    uint64_t next_seq;
    bool stopping;
    int outage_attempt; /* 0: none */
    int64_t outage_since_ns, outage_until_ns;
    bool probing;       /* a sender tries whether the outage is over */
    bool frame_next;    /* the next turn prefers a frame to a batch */
    bool spool_refuses; /* the disk is full or broken; until a frame is done or the outage ends */
    struct mr_writer_stats stats;

    struct spool *spool;         /* NULL: none */
    pthread_mutex_t reject_lock; /* one on_reject at a time */
    pthread_t *threads;
    int nthreads;
};

/* What became of an attempt to send packed records. */
enum send_result {
    SEND_ENDED,  /* every record is written or rejected */
    SEND_OUTAGE, /* some are left: `ended` tells which are not */
    SEND_BROKEN, /* the bytes are no packed records */
};

struct send_totals {
    uint64_t written, rejected, requests, retries;
};

static inline bool batch_ended(const uint64_t ended[static 2], unsigned i)
{
    return (ended[i / 64] >> (i % 64) & 1) != 0;
}

static inline void batch_end(uint64_t ended[static 2], unsigned i)
{
    ended[i / 64] |= UINT64_C(1) << (i % 64);
}

/* writer_send.c: sends the records that have not ended, splits what is refused as a whole, tells on_reject.
 * Without the lock. On an outage, *class_ says of which kind and the texts of the failure are kept in *why.
 */
enum send_result client_writer_send(struct mr_writer *w, struct mr_str payload, unsigned records,
                                    uint64_t ended[static 2], struct send_totals *totals,
                                    enum retry_class *class_, struct outcome *why);
/* Rejects every record that has not ended. */
void client_writer_reject_all(struct mr_writer *w, struct mr_str payload, unsigned records,
                              uint64_t ended[static 2], const struct mr_rejection *why,
                              struct send_totals *totals);

/* writer_loop.c: what a sender thread runs. arg is the writer. */
void *client_writer_loop(void *arg);
/* Under the lock: takes the batch out of the list and frees it. */
void client_writer_drop(struct mr_writer *w, struct batch *b);

static inline int64_t writer_now(const struct mr_writer *w)
{
    return mr_clock_mono(w->client->world.clock);
}

#endif
