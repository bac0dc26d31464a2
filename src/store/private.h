/* store/private.h - what the files of this room share. Private. */
#ifndef MR_STORE_PRIVATE_H
#define MR_STORE_PRIVATE_H

#include "base/cursor.h"
#include "memstore/memstore.h"
#include "magstore/plan.h"
#include "store/hold.h"
#include "store/store.h"
#include "store/view.h"
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
    uint64_t drop_lsn;     /* atomic: of the entry that says so; 0: alive */
    bool unlogged; /* atomic: dropped, and there was no room for that entry: the caller has to remember */
    uint64_t misfit_lsn; /* of a start: the first entry of the log that did not fit; 0: none */
    const char *misfit;  /* what was wrong with it */
    unsigned refs;       /* atomic: references given out */
    int64_t cutoff;      /* atomic: rows before it are expired; INT64_MIN at first */
    bool unmergeable;    /* atomic: a segment turned out to be damaged */
    /* What is in files of names already; whoever holds the flush lock. */
    uint32_t named_columns, named_measures, named_series;
    struct mr_error damage; /* the names could not be read at the start: nothing else can be either */
    bool waiting;           /* atomic: not read yet, because their key is not at hand, or the disk does not
                               answer (keys.c) */
    struct mr_buf pending;  /* of such a table: its entries of the log, as keys.c wants them */
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
    struct store_view *view; /* rows up to the LSN are in it or in memory, perhaps in both */
    uint64_t flushes;        /* that had reached the view when this was opened */
    bool overtaken;          /* atomic: memory has let go of rows that only this one still looks for there */
    struct store_snapshot *older, *newer;
};

/* A file that the newest manifest does not name any more, while the one before may. */
struct store_grave {
    enum magstore_kind kind;
    uint64_t number;
    uint64_t generation; /* of the first manifest without it */
};

/* A hold (hold.h); id 0: none. */
struct store_held {
    uint64_t id, wal_low;
    int64_t deadline;
};

struct store_counters { /* atomic */
    uint64_t flushes, flush_rows, flush_ns, compactions, compacted_rows, compacted_bytes, lookups;
};

struct store {
    struct mr_io io;
    const struct mr_clock *clock;
    char *dir;
    struct wal *wal;
    struct mem_budget budget;

    pthread_mutex_t tables_lock; /* guards the buckets; taken before no other lock */
    struct store_table **buckets;
    size_t nbuckets, ntables; /* ntables counts shells too */

    pthread_mutex_t scratch_lock;
    struct store_scratch *scratches;

    pthread_mutex_t snapshot_lock;
    pthread_cond_t snapshot_closed;
    struct store_snapshot *oldest, *newest; /* in the order of opening, which is that of their LSNs */
    struct store_view *view;                /* the current one; under the snapshot lock */
    uint64_t flushes;                       /* whose segments are in it; likewise */
    bool closing;                           /* likewise: nobody waits any longer */

    struct seal_keyring *keyring;
    int64_t key_life_ns;
    pthread_mutex_t keys_lock;    /* one change of what is open at a time */
    bool keys_stale;              /* under it: what is open does not yet follow the keys */
    bool unread;                  /* likewise: the disk did not give some file, and may later */
    struct magstore_cache *cache; /* of decoded blocks */
    char *files_dir;
    struct magstore_policy policy;
    pthread_mutex_t
        commit_lock; /* guards the manifest, the graves and the holds; taken inside the next two */
    struct magstore_manifest manifest;
    bool by_hand;
    bool flushing; /* atomic */
    bool keep_log; /* atomic: entries of a table whose names are damaged must stay in the log */
    bool ballast;  /* the file is there */
    struct store_grave *graves;
    size_t ngraves, graves_cap;
    struct store_held holds[STORE_HOLDS_MAX];
    uint64_t last_hold;
    pthread_mutex_t flush_lock;   /* one flush at a time */
    pthread_mutex_t compact_lock; /* one merge at a time */
    size_t flush_bytes;
    uint64_t flush_log_bytes;
    uint64_t log_since;          /* atomic: bytes of entries since the last flush began */
    struct store_keeper *keeper; /* NULL: by hand */
    struct store_counters counters;

    uint64_t appends, records, duplicates, rejected; /* atomic */
};

/* Are rows in memory, or the log since the last flush began, worth a flush? */
static inline bool store_has_grown(const struct store *store)
{
    return __atomic_load_n(&store->log_since, __ATOMIC_RELAXED) >= store->flush_log_bytes ||
           __atomic_load_n(&store->budget.row_bytes, __ATOMIC_RELAXED) >= store->flush_bytes;
}

/* Bytes of one value in a vector, of memory, of files and of scans alike. */
static inline size_t store_width(int type)
{
    return type == STORE_BOOLEAN ? 1 : type == STORE_VARCHAR ? sizeof(struct mr_str) : 8;
}

/* First of the ascending times[at..end) that is not before t; end when all are. */
static inline size_t store_lower_bound(const int64_t *times, size_t at, size_t end, int64_t t)
{
    while (at < end) {
        size_t middle = at + (end - at) / 2;
        if (times[middle] < t)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

/* ---- table.c */
int table_find_or_make(struct store *store, uint64_t database_id, uint64_t table_id,
                       struct store_table **out);
/* Keeps the table's data from being freed; false when it was dropped. */
bool table_pin(struct store_table *table);
void table_unpin(struct store_table *table);
/* Its drop is durable. Any thread, no lock; false for a table nobody has heard of. */
bool table_is_gone(struct store *store, uint64_t table_id);
int64_t table_cutoff(struct store *store, uint64_t table_id);
bool table_can_merge(struct store *store, uint64_t table_id);
void table_no_merge(struct store *store, uint64_t table_id);
#define DROPPED_BY_CALLER 1 /* drop_lsn of a drop without an entry: below every durable LSN */
void table_start_dropped(struct store_table *table); /* one the caller knows to be dropped, at a start */
void table_forget(struct store_table *table);        /* takes away what keeps it alive */
int table_dropped(const struct store_table *table, struct mr_error *err); /* MR_ENOENT with its text */
void tables_release(struct store *store);

/* Calls fn for each table that is not dropped, pinned. Ends with the first status other than MR_OK. */
int tables_each(struct store *store, int (*fn)(struct store_table *table, void *ctx), void *ctx);

/* ---- append.c */
void scratch_free(struct store_scratch *scratch);

/* ---- snapshot.c */
uint64_t snapshot_horizon(struct store *store); /* no present or future snapshot is older */
/* Makes the view the current one and takes over the caller's reference. Returns the number of flushes whose
 * segments are in it; `flushed` adds one. */
uint64_t snapshot_install(struct store *store, struct store_view *view, bool flushed);
/* Waits until every snapshot has seen that many flushes. Those that take longer than SNAPSHOT_PATIENCE_S are
 * overtaken: their scans fail from then on. False when the store closes or is run by hand, and some are left.
 */
#define SNAPSHOT_PATIENCE_S 60
bool snapshot_wait(struct store *store, uint64_t flushes);
struct store_view *snapshot_view(struct store *store); /* a reference */

/* ---- replay.c */
wal_replay_fn store_replay; /* ctx: struct store */
/* One entry that was kept, after its head; MR_EINVAL: it does not fit, *why says how. */
int replay_append(struct store_table *table, struct mr_cursor *cursor, uint64_t lsn, const char **why);

/* ---- files.c: the manifest and the files it names */
struct store_change {
    const struct magstore_file *add;
    size_t nadd;
    struct store_segment *const *fresh; /* the segments among them, opened */
    size_t nfresh;
    const struct magstore_file *remove;
    size_t nremove;
    uint64_t wal_low; /* 0: as it is */
    bool flushed;
    bool frees; /* it removes much and adds nothing: on a full disk the ballast may be spent on it */
};
int files_open(struct store *store, struct mr_error *err); /* loads, cleans, opens segments, reads names */
void files_close(struct store *store);
/* Of a start: what only the manifest before the newest names goes with the next commit. */
int files_bury_leftover(struct store *store, struct mr_error *err);
void files_keep_ballast(struct store *store);
/* Removes what is named by neither manifest, unless somebody holds files. Under the commit lock. */
void files_empty_graves(struct store *store);
uint64_t files_number(struct store *store); /* a number for a new file */
/* Makes the change durable and current. Files of tables dropped meanwhile are left out and removed, the added
 * ones too. *flushes as from snapshot_install. MR_ECANCEL: a file to be removed is not there any more, so the
 * change makes no sense; nothing was changed. */
int files_commit(struct store *store, const struct store_change *change, uint64_t *flushes,
                 struct mr_error *err);
/* Commits once more, so that both manifests say the same; then the files that none names are gone. */
int files_settle(struct store *store, bool frees, struct mr_error *err);
/* A file that was written and never named. */
void files_discard(struct store *store, enum magstore_kind kind, uint64_t number);
/* The files of a table (or of all: 0), copied. */
int files_list(struct store *store, uint64_t table, struct magstore_file **out, size_t *count);
/* Removes what is wholly past its table's cutoff, and files of dropped tables; of one table, or of all: 0. */
int files_expire(struct store *store, uint64_t table, struct mr_error *err);

/* Finishes a segment and opens it: its entry for the manifest and a reference. On failure no file is left. */
int segment_finish(struct store *store, struct magstore_writer *writer, uint64_t number, uint8_t level,
                   struct magstore_file *file, struct store_segment **segment, struct mr_error *err);

/* ---- compact.c */
/* One merge, if one is worth it. *did says whether there was something to do. MR_ECANCEL: the store closes,
 * or what was merged has gone meanwhile. */
int compact_once(struct store *store, bool *did, struct mr_error *err);
/* Writes the table's segments again that hold rows on both sides of the cutoff, without the earlier ones. */
int compact_purge(struct store *store, uint64_t table, int64_t cutoff, struct mr_error *err);

/* ---- hold.c */
bool holds_any(const struct store *store); /* under the commit lock */
/* How far the log may be trimmed of what could be up to that LSN. */
uint64_t holds_log(struct store *store, uint64_t lsn);

/* ---- keys.c: tables and segments whose key is not at hand, and keys whose time is over */
/* Of a start: is the table's key not at hand? Then its names wait, and its entries of the log. */
bool keys_must_wait(struct store *store, struct store_table *table);
int keys_keep_entry(struct store_table *table, uint64_t lsn, struct mr_str entry);
bool table_waits(const struct store_table *table);
/* Forgets the keys that no file is under any more. Under the compact lock. */
int keys_retire(struct store *store, struct mr_error *err);
/* Is the file under another key than the newest of its database? */
bool keys_outdated(struct store *store, const struct magstore_file *file);

/* At a start: the disk did not give its names; they wait as those without a key do. The table is as new. */
int keys_wait_for_disk(struct store_table *table);

/* ---- files_open.c */
int files_read_names(struct store *store, struct store_table *table, const struct magstore_file *file,
                     struct mr_error *err);

/* ---- lookup.c */
struct store_lookup {
    struct mr_arena arena;
    struct mem_prior *priors;
    size_t npriors;
    uint64_t epoch;
};
/* What files hold of the rows these records are about. The table is pinned, no lock is held. */
int lookup_priors(struct store_table *table, const struct mem_record *records, size_t count,
                  struct store_lookup *out, struct mr_error *err);
void lookup_release(struct store_lookup *lookup);

/* ---- keeper.c: the threads that flush and merge */
int keeper_start(struct store *store, struct mr_error *err);
void keeper_stop(struct store *store);
void keeper_flush_soon(struct store *store);
/* A flush if the store still has grown when the flusher gets to it: the append that says so may have looked a
 * moment before a flush began. */
void keeper_has_grown(struct store *store);
void keeper_compact_soon(struct store *store);
void keeper_keys_soon(struct store *store);
bool keeper_stopping(const struct store *store);

#endif
