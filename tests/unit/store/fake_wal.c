#include "fake_wal.h"

#include <pthread.h>

struct wal {
    int unused;
};

struct kept {
    uint64_t lsn;
    char *bytes;
    size_t len;
};

static struct wal the_wal;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept *entries;
static size_t nentries, entries_cap;
static uint64_t last, durable, skip;
static int fail_next;
static bool automatic;
static struct wal_waiter *waiters;

static void forget_from(size_t at)
{
    while (nentries > at)
        mr_free(entries[--nentries].bytes);
}

void fake_wal_reset(void)
{
    forget_from(0);
    mr_free(entries);
    entries = NULL;
    entries_cap = 0;
    last = durable = skip = 0;
    fail_next = MR_OK;
    automatic = false;
    waiters = NULL;
}

void fake_wal_auto(bool on)
{
    automatic = on;
}

/* Takes the waiters that are due off the list; they may free themselves. */
static struct wal_waiter *due(void)
{
    struct wal_waiter *ready = NULL, **link = &waiters;
    while (*link != NULL) {
        struct wal_waiter *waiter = *link;
        if (waiter->lsn > durable) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        waiter->next = ready;
        ready = waiter;
    }
    return ready;
}

static void run(struct wal_waiter *ready)
{
    while (ready != NULL) {
        struct wal_waiter *next = ready->next;
        ready->done(ready);
        ready = next;
    }
}

void fake_wal_durable(uint64_t lsn)
{
    pthread_mutex_lock(&lock);
    durable = lsn;
    struct wal_waiter *ready = due();
    pthread_mutex_unlock(&lock);
    run(ready);
}

void fake_wal_lose(void)
{
    size_t keep = 0;
    while (keep < nentries && entries[keep].lsn <= durable)
        keep++;
    forget_from(keep);
    last = durable;
    waiters = NULL;
}

void fake_wal_fail(int status)
{
    fail_next = status;
}

void fake_wal_skip(uint64_t count)
{
    skip = count;
}

uint64_t fake_wal_jump(uint64_t count)
{
    return last += count;
}

size_t fake_wal_entries(void)
{
    return nentries;
}

struct mr_str fake_wal_entry(size_t i)
{
    return (struct mr_str){entries[i].bytes, entries[i].len};
}

void fake_wal_set_entry(size_t i, struct mr_str bytes)
{
    char *copy = mr_malloc(bytes.len);
    MR_ASSERT(copy != NULL);
    if (bytes.len != 0)
        memcpy(copy, bytes.ptr, bytes.len);
    mr_free(entries[i].bytes);
    entries[i].bytes = copy;
    entries[i].len = bytes.len;
}

int wal_open(const struct wal_options *options, wal_replay_fn *replay, void *ctx, struct wal **out,
             struct mr_error *err)
{
    MR_UNUSED(options);
    for (size_t i = 0; i < nentries; i++) {
        int rc = replay(ctx, entries[i].lsn, fake_wal_entry(i), err);
        if (rc != MR_OK)
            return rc;
    }
    *out = &the_wal;
    return MR_OK;
}

/* Under the lock. */
static int append(struct mr_str entry, struct wal_waiter *waiter, uint64_t *lsn)
{
    int rc = fail_next;
    fail_next = MR_OK;
    if (rc != MR_OK)
        return rc;
    if (mr_grow((void **)&entries, &entries_cap, nentries + 1, sizeof *entries) != MR_OK)
        return MR_ENOMEM;
    char *copy = mr_malloc(entry.len);
    if (copy == NULL)
        return MR_ENOMEM;
    memcpy(copy, entry.ptr, entry.len);
    __atomic_store_n(&last, last + skip + 1, __ATOMIC_RELEASE);
    skip = 0;
    entries[nentries++] = (struct kept){last, copy, entry.len};
    if (lsn != NULL)
        *lsn = last;
    if (waiter != NULL) {
        waiter->lsn = last;
        waiter->next = waiters;
        waiters = waiter;
    }
    return MR_OK;
}

int wal_append(struct wal *wal, struct mr_str entry, struct wal_waiter *waiter, uint64_t *lsn)
{
    MR_UNUSED(wal);
    struct wal_waiter *ready = NULL;
    pthread_mutex_lock(&lock);
    int rc = append(entry, waiter, lsn);
    if (rc == MR_OK && automatic) {
        __atomic_store_n(&durable, last, __ATOMIC_RELEASE);
        ready = due();
    }
    pthread_mutex_unlock(&lock);
    run(ready);
    return rc;
}

void wal_notify(struct wal *wal, struct wal_waiter *waiter)
{
    MR_UNUSED(wal);
    pthread_mutex_lock(&lock);
    waiter->lsn = last;
    waiter->next = waiters;
    waiters = waiter;
    struct wal_waiter *ready = due();
    pthread_mutex_unlock(&lock);
    run(ready);
}

void wal_flush(struct wal *wal)
{
    MR_UNUSED(wal);
    fake_wal_durable(last);
}

uint64_t wal_durable_lsn(const struct wal *wal)
{
    MR_UNUSED(wal);
    return __atomic_load_n(&durable, __ATOMIC_ACQUIRE);
}

uint64_t wal_last_lsn(const struct wal *wal)
{
    MR_UNUSED(wal);
    return __atomic_load_n(&last, __ATOMIC_ACQUIRE);
}

int wal_trim(struct wal *wal, uint64_t lsn, struct mr_error *err)
{
    MR_UNUSED(wal);
    MR_UNUSED(lsn);
    MR_UNUSED(err);
    return MR_OK;
}

void wal_stats(const struct wal *wal, struct wal_stats *out)
{
    MR_UNUSED(wal);
    *out = (struct wal_stats){.entries = nentries};
}

void wal_close(struct wal *wal)
{
    MR_UNUSED(wal);
    if (!automatic)
        return;
    fake_wal_durable(last);
}
