/* tests/unit/memstore/ledger.h - what a table and the files beside it should say, decided the slow way.
 *
 * Everything accepted is kept per (series, time) in the order of its LSNs; a flag says whether memory still
 * has the row, and a list what files were given of it. Nothing here is clever.
 */
#ifndef MR_TESTS_MEMSTORE_LEDGER_H
#define MR_TESTS_MEMSTORE_LEDGER_H

#include "kit.h"

enum { LEDGER_SERIES = 8, LEDGER_TIMES = 1500 };

struct ledger_state {
    uint64_t lsn, replaced;
    struct kit_row row;
};

struct ledger_filed {
    struct kit_row row;
    unsigned generation; /* of files; a reader looks into those that were there when it came */
};

struct ledger_cell {
    struct ledger_state *states;
    size_t nstates, states_cap;
    struct ledger_filed *filed;
    size_t nfiled, filed_cap;
    bool in_memory; /* the last state */
};

struct ledger {
    struct ledger_cell cells[LEDGER_SERIES][LEDGER_TIMES];
    struct {
        uint32_t number; /* UINT32_MAX: the table does not have it */
        int64_t file_time;
    } series[LEDGER_SERIES];
    uint32_t next_number;
    int64_t cutoff; /* of the last eviction */
    /* what the batch under way changed */
    struct ledger_undo {
        unsigned k;
        int64_t time;
        bool in_memory, born;
    } undo[16];
    size_t nundo;
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);

/* Must files be asked before a record of this row can be judged? */
bool ledger_wants(const struct ledger *ledger, unsigned k, int64_t time);
/* What files of generations up to this one hold under the series' number: the highest version, or NULL. */
const struct kit_row *ledger_filed(const struct ledger *ledger, unsigned k, int64_t time,
                                   unsigned generation);
void ledger_file(struct ledger *ledger, struct kit_row row, unsigned generation);
/* Takes out what a generation that never was published holds. */
void ledger_unfile(struct ledger *ledger, unsigned generation);

void ledger_begin(struct ledger *ledger);
enum mem_outcome ledger_put(struct ledger *ledger, struct kit_row row, uint64_t lsn,
                            int64_t *existing_version);
void ledger_commit(struct ledger *ledger, uint64_t guess, uint64_t lsn);
void ledger_abort(struct ledger *ledger);

/* The state of the row at the snapshot, or NULL. */
const struct kit_row *ledger_at(const struct ledger *ledger, unsigned k, int64_t time, uint64_t lsn);
void ledger_release(struct ledger *ledger, uint64_t lsn);
void ledger_evict(struct ledger *ledger, int64_t cutoff);
/* Would a select of [from, to] find the series? */
bool ledger_selects(const struct ledger *ledger, unsigned k, int64_t from, int64_t to);
uint64_t ledger_rows(const struct ledger *ledger);

/* A start: forgets everything after `durable`, and all of memory. Then series and rows are loaded again. */
void ledger_restart(struct ledger *ledger, uint64_t durable);
void ledger_load_series(struct ledger *ledger, unsigned k, uint32_t number, int64_t file_time);
void ledger_load_row(struct ledger *ledger, struct kit_row row);

#endif
