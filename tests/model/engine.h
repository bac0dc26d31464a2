/* tests/model/engine.h - a store on a simulated disk, spoken to in the model's words.
 *
 * Nothing here returns failure: what may not fail and does ends the test through model_broken, which the
 * program that links this defines.
 */
#ifndef MR_TESTS_MODEL_ENGINE_H
#define MR_TESTS_MODEL_ENGINE_H

#include "lib/simdisk.h"
#include "model/naive.h"

#include <pthread.h>

void model_broken(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#define ENGINE_DIR "/store"
#define ENGINE_DATABASE 3

struct engine {
    struct store_options options; /* io is set by the open */
    struct store *store;
    struct store_table *tables[MODEL_TABLES];
    uint64_t ids[MODEL_TABLES]; /* of the references */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t started, finished; /* commits */
    uint64_t again, busy;       /* appends that had to wait for files, or for the log */
    uint64_t scans, scanned_rows;
};

/* Small segments and files, so that a short history crosses their borders. */
void engine_init(struct engine *engine, const struct model_profile *profile, bool by_hand);
void engine_destroy(struct engine *engine);

/* Makes the directory, durably. */
void engine_make_dir(const struct mr_io *io);
/* False, with the text, when the store refuses. No table is referenced yet. */
bool engine_try_open(struct engine *engine, const struct mr_io *io, struct mr_error *err);
void engine_close(struct engine *engine);
/* References the table; false when the store says it was dropped. */
bool engine_table(struct engine *engine, unsigned table, uint64_t id);
int engine_try_table(struct engine *engine, unsigned table, uint64_t id, struct mr_error *err);

/* Where an append stands. */
struct engine_commit {
    struct store_commit commit; /* first */
    struct engine *engine;
    struct simdisk *disk; /* may be NULL */
    size_t acked_at;      /* moment of the disk when it was acknowledged; SIZE_MAX: not yet */
    unsigned *acked;      /* may be NULL; 1 is stored there when it is acknowledged */
};

/* Appends; outcomes and existing versions come back. The commit stays until engine_settle. Another status
 * than MR_OK, MR_EAGAIN (then it waits) and MR_EBUSY (then it tries again) is returned. */
int engine_append(struct engine *engine, unsigned table, const struct model_record *records, size_t count,
                  enum store_outcome *outcomes, int64_t *existing, struct engine_commit *commit,
                  bool may_wait, struct mr_error *err);
/* Waits until every commit is done. */
void engine_settle(struct engine *engine);
bool engine_settled(struct engine *engine);

/* ---- scans in the model's words; a status other than MR_OK has its text in err */

int engine_scan(struct engine *engine, struct store_snapshot *snapshot, unsigned table,
                const struct model_spec *spec, struct store_scan **out, struct mr_error *err);
/* One batch; *more false at the end. Checks what every batch promises (order, one series, no mixing). */
int engine_batch(struct store_cursor *cursor, const struct model_spec *spec, struct model_rows *out,
                 bool *more, struct mr_error *err);
/* All of it, with one cursor or two. */
int engine_drain(struct store_scan *scan, const struct model_spec *spec, unsigned cursors,
                 struct model_rows *out, struct mr_error *err);
/* Everything in the table now, sorted. */
int engine_rows(struct engine *engine, unsigned table, const struct model_spec *spec, struct model_rows *out,
                struct mr_error *err);
void engine_schema(struct engine *engine, unsigned table, struct mr_buf *out);

/* The versions of rows that are there, found without changing anything: a record of the least version with
 * other content is refused, and how it is refused tells. */
int engine_versions(struct engine *engine, unsigned table, const struct model_record *rows, size_t count,
                    int64_t *versions, struct mr_error *err);

/* Schema, rows and versions (of some rows, which `pick` chooses) of all tables. Says in `out` what differs or
 * fails. */
enum { ENGINE_SAME, ENGINE_DIFFERS, ENGINE_FAILS };
int engine_same(struct engine *engine, const struct model *model, uint64_t pick, struct mr_buf *out);
/* What was dropped for good is refused, or shows nothing. */
bool engine_is_gone(struct engine *engine, uint64_t id);

#endif
