/* store/private.h - what the files of this room share. Private. */
#ifndef MR_STORE_PRIVATE_H
#define MR_STORE_PRIVATE_H

#include "memstore/memstore.h"
#include "store/store.h"
#include "wal/wal.h"

#include <pthread.h>

/* A table stays here until the store closes, a dropped one as a shell that remembers its number. */
struct store_table {
    struct store *store;
    struct store_table *next; /* in its bucket */
    uint64_t database_id, id;
    struct mem_table *mem; /* freed when `users` falls to 0 */
    unsigned users;        /* atomic: 1 for being alive, and each call and scan under way */
    bool dropped;          /* under the table's lock */
    unsigned refs;         /* atomic: references given out */
};

/* Room of one append; the store keeps a few, so that a steady stream allocates nothing. */
struct store_scratch {
    struct store_scratch *next;
    struct mem_scratch *mem;
    struct mr_buf entry;
    struct mem_attr *attrs;
    size_t attrs_cap;
};

struct store_snapshot {
    struct store *store;
    uint64_t lsn;
    struct store_snapshot *older, *newer;
};

struct store {
    struct mr_io io;
    const struct mr_clock *clock;
    char *dir;
    struct seal_keyring *keyring;
    struct wal *wal;
    struct mem_budget budget;

    pthread_mutex_t tables_lock; /* guards the buckets; taken before no other lock */
    struct store_table **buckets;
    size_t nbuckets, ntables; /* ntables counts shells too */

    pthread_mutex_t scratch_lock;
    struct store_scratch *scratches;

    pthread_mutex_t snapshot_lock;
    struct store_snapshot *oldest, *newest; /* in the order of opening, which is that of their LSNs */

    uint64_t appends, records, duplicates, rejected; /* atomic */
};

/* ---- table.c */
int table_find_or_make(struct store *store, uint64_t database_id, uint64_t table_id,
                       struct store_table **out);
/* Keeps the table's data from being freed; false when it was dropped. */
bool table_pin(struct store_table *table);
void table_unpin(struct store_table *table);
void table_forget(struct store_table *table);                             /* takes away what keeps it alive */
int table_dropped(const struct store_table *table, struct mr_error *err); /* MR_ENOENT with its text */
void tables_release(struct store *store);

/* ---- append.c */
void scratch_free(struct store_scratch *scratch);

/* ---- snapshot.c */
uint64_t snapshot_horizon(struct store *store); /* no present or future snapshot is older */

/* ---- replay.c */
wal_replay_fn store_replay; /* ctx: struct store */

#endif
