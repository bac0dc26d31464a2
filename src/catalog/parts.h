/* catalog/parts.h - what the catalog's own files share: the object, its two locks, the frame of a change.
 *
 * Who may touch what:
 *   writer    mutex, held for a whole change. Guards db; whoever holds it may also read the mirror, since
 * only a holder ever alters it. readers   rwlock over the mirror. Write-locked only around the pointer swap,
 * never while a disk is waited for. Lock order: writer, then readers.
 *
 * A change:   change_begin      writer lock, BEGIN
 *             ...               statements; new mirror objects; copies for the caller
 *             change_commit     COMMIT: the point of no return
 *             publish_begin     write lock
 *             ...               swap pointers, cannot fail
 *             publish_end       version + 1, unlock
 *             change_end        undoes a transaction that is still open, unlocks the writer
 */
#ifndef MR_CATALOG_PARTS_H
#define MR_CATALOG_PARTS_H

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/mirror.h"

#include <pthread.h>
#include <stdatomic.h>

struct catalog {
    const struct mr_clock *clock;
    pthread_mutex_t writer;
    struct db db;                       /* writer */
    uint64_t max_databases, max_tables; /* writer; 0: none */
    pthread_rwlock_t readers;
    struct mirror mirror;     /* readers */
    _Atomic uint64_t version; /* changed under the write lock only */
};

int change_begin(struct catalog *c, struct mr_error *err);
int change_commit(struct catalog *c, struct mr_error *err);
void change_end(struct catalog *c);
void publish_begin(struct catalog *c);
void publish_end(struct catalog *c);
/* mirror_reserve under the write lock, since it may move the array. */
int change_reserve(struct catalog *c, struct mirror_index *index, struct mr_error *err);

/* Copies a mirror object for a reader. MR_ENOMEM when the arena has no more. */
int copy_database(const struct mirror_database *d, struct mr_arena *arena, struct catalog_database *out);
int copy_table(const struct mirror_table *t, struct mr_str database, struct mr_arena *arena,
               struct catalog_table *out);

/* Writes a new resource's tags inside a change. `put` is DB_DATABASE_TAG_PUT or DB_TABLE_TAG_PUT. */
int tags_insert(struct catalog *c, enum db_statement put, uint64_t id, const struct mr_pair *tags,
                size_t ntags, struct mr_error *err);

#endif
