/* tests/unit/memstore/leave.h - the run that leave.c plays and leave_check.c looks at. */
#ifndef MR_TESTS_MEMSTORE_LEAVE_H
#define MR_TESTS_MEMSTORE_LEAVE_H

#include "ledger.h"

#include "base/rand.h"

enum { BATCH = 6, SNAPSHOTS = 3, ENTRIES = 40000 };

/* One commit as a log keeps it. */
struct entry {
    uint64_t lsn;
    struct kit_names names;
    struct kit_row rows[BATCH];
    size_t nrows;
};

enum phase { IDLE, COPYING, COPIED, PUBLISHED };

struct world {
    uint64_t seed, op;
    struct mr_rng rng;
    int64_t times, window; /* rows lie below `times`, new ones in the window from the cutoff on */
    uint64_t flushing;     /* in a thousand operations */
    struct mem_budget budget;
    struct mem_table *table;
    struct mem_scratch *scratch;
    struct ledger *ledger;
    uint64_t last, durable;
    struct entry *log;
    size_t nlog;
    struct {
        bool open;
        uint64_t lsn;
        unsigned generation;
    } held[SNAPSHOTS];
    unsigned generation; /* of the files that are published */
    struct {
        enum phase phase;
        uint64_t lsn;
        uint32_t next;
        struct kit_names names;
        uint32_t next_series;
    } flush;
    /* what a start finds: the names of the last published flush, and its LSN */
    struct kit_names names;
    uint32_t next_series;
    uint64_t flushed;
    int64_t newest; /* time in files */
    struct {
        uint64_t stored, again, filed_duplicates, filed_rejects, shadowed, released;
    } seen;
};

extern struct world world;

/* Fails with the seed and the operation when they differ. */
void expect(const char *what, uint64_t got, uint64_t want);
uint64_t below(uint64_t n);

/* The table, and its rows as of the LSN with those in files up to the generation, against the ledger. Takes
 * the read lock. */
void check(uint64_t lsn, unsigned generation);
/* The extent as of the LSN is what the cursors show. Read lock. */
void check_extent(uint64_t lsn);

#endif
