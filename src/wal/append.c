/* wal/append.c - into the queue: an entry or a waiter, under a short lock.
 *
 * The queue is a row of batches, each a frame in the making. An entry is copied once, into the place from
 * which it is written. The log thread is woken only when it sleeps, so a busy log costs its appenders no
 * system call.
 */
#include "wal/private.h"

void wal_batch_init(struct wal_batch *batch)
{
    batch->next = NULL;
    batch->len = WAL_FRAME_HEADER_BYTES;
    batch->entries = 0;
    batch->waiters = NULL;
    batch->waiters_end = &batch->waiters;
}

int wal_batch_reserve(struct wal_batch *batch, size_t len)
{
    size_t need = (len + SEAL_TAG_BYTES + WAL_SECTOR - 1) / WAL_SECTOR * WAL_SECTOR;
    if (MR_LIKELY(need <= batch->cap))
        return MR_OK;
    size_t cap = batch->cap * 2;
    if (cap < need)
        cap = need;
    if (cap < 16 * WAL_SECTOR)
        cap = 16 * WAL_SECTOR;
    unsigned char *grown = mr_realloc(batch->bytes, cap);
    if (grown == NULL)
        return MR_ENOMEM;
    batch->bytes = grown;
    batch->cap = cap;
    return MR_OK;
}

static size_t varint_bytes(size_t v)
{
    size_t n = 1;
    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

/* The batch an entry of `bytes` with its length goes into: the last one, or a new one that is not yet queued.
 */
static struct wal_batch *batch_for(struct wal *wal, size_t bytes)
{
    struct wal_batch *b = wal->last;
    if (b != NULL && b->entries < wal->max_frame_entries &&
        b->len - WAL_FRAME_HEADER_BYTES + bytes <= wal->max_payload)
        return b;
    b = wal->spare;
    if (b != NULL) {
        wal->spare = b->next;
        wal->spares--;
    } else {
        b = mr_calloc(1, sizeof *b);
        if (b == NULL)
            return NULL;
    }
    wal_batch_init(b);
    return b;
}

static void drop_unqueued(struct wal *wal, struct wal_batch *b)
{
    if (b == wal->last)
        return;
    b->next = wal->spare;
    wal->spare = b;
    wal->spares++;
}

static void attach(struct wal_waiter ***end, struct wal_waiter *waiter, uint64_t lsn)
{
    waiter->lsn = lsn;
    waiter->next = NULL;
    **end = waiter;
    *end = &waiter->next;
}

static void put(struct wal *wal, struct wal_batch *b, struct mr_str entry, uint64_t lsn)
{
    if (b != wal->last) {
        b->first_lsn = lsn;
        if (wal->last != NULL)
            wal->last->next = b;
        else
            wal->head = b;
        wal->last = b;
    }
    unsigned char *to = b->bytes + b->len;
    size_t v = entry.len;
    for (; v >= 0x80; v >>= 7)
        *to++ = (unsigned char)(v | 0x80);
    *to++ = (unsigned char)v;
    if (entry.len != 0)
        memcpy(to, entry.ptr, entry.len);
    b->len = (size_t)(to + entry.len - b->bytes);
    b->entries++;
}

/* The active segment has less than `need` left, and there is no other: asks for one. */
static bool out_of_room(struct wal *wal, uint64_t need)
{
    if (MR_LIKELY(!wal->room_failed) || wal->ready_fd >= 0 || need <= wal->room)
        return false;
    wal_ready_retry(wal);
    return true;
}

int wal_append(struct wal *wal, struct mr_str entry, struct wal_waiter *waiter, uint64_t *lsn)
{
    if (entry.len > wal->max_entry)
        return MR_ELIMIT;
    size_t bytes = varint_bytes(entry.len) + entry.len;
    bool wake = false;
    int status = MR_OK;
    pthread_mutex_lock(&wal->lock);
    if (wal->queue_bytes + bytes > wal->max_queue_bytes) {
        status = out_of_room(wal, wal->queue_room) ? MR_ENOSPC : MR_EBUSY;
        goto done;
    }
    struct wal_batch *b = batch_for(wal, bytes);
    if (b == NULL) {
        status = MR_ENOMEM;
        goto done;
    }
    uint64_t before = b == wal->last ? wal_frame_bytes(b->len - WAL_FRAME_HEADER_BYTES) : 0;
    uint64_t after = wal_frame_bytes(b->len - WAL_FRAME_HEADER_BYTES + bytes);
    if (out_of_room(wal, wal->queue_room - before + after)) {
        drop_unqueued(wal, b);
        status = MR_ENOSPC;
        goto done;
    }
    if (wal_batch_reserve(b, b->len + bytes) != MR_OK) {
        drop_unqueued(wal, b);
        status = MR_ENOMEM;
        goto done;
    }
    uint64_t at = wal->last_lsn + 1;
    put(wal, b, entry, at);
    wal->queue_bytes += bytes;
    wal->queue_room += after - before;
    __atomic_store_n(&wal->last_lsn, at, __ATOMIC_RELAXED);
    if (waiter != NULL)
        attach(&b->waiters_end, waiter, at);
    if (lsn != NULL)
        *lsn = at;
    wake = wal->sleeping;
    wal->sleeping = false; /* one signal is enough; the next appender need not give another */
done:
    pthread_mutex_unlock(&wal->lock);
    if (wake)
        pthread_cond_signal(&wal->work);
    return status;
}

void wal_notify(struct wal *wal, struct wal_waiter *waiter)
{
    bool now = false;
    pthread_mutex_lock(&wal->lock);
    if (wal->last != NULL) {
        attach(&wal->last->waiters_end, waiter, wal->last_lsn);
    } else if (wal->done_lsn < wal->last_lsn) {
        attach(&wal->late_end, waiter, wal->last_lsn);
    } else {
        waiter->lsn = wal->last_lsn;
        now = true;
    }
    pthread_mutex_unlock(&wal->lock);
    if (now)
        waiter->done(waiter);
}

void wal_flush(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    uint64_t lsn = wal->last_lsn;
    wal->flushers++;
    while (wal->done_lsn < lsn)
        pthread_cond_wait(&wal->done, &wal->lock);
    wal->flushers--;
    pthread_mutex_unlock(&wal->lock);
}

uint64_t wal_durable_lsn(const struct wal *wal)
{
    uint64_t lsn = __atomic_load_n(&wal->durable_lsn, __ATOMIC_ACQUIRE);
    return lsn > wal->found_lsn ? lsn : wal->found_lsn;
}

uint64_t wal_last_lsn(const struct wal *wal)
{
    return __atomic_load_n(&wal->last_lsn, __ATOMIC_RELAXED);
}
