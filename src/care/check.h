/* care/check.h - what the files of a check share. Private to the room. */
#ifndef MR_CARE_CHECK_H
#define MR_CARE_CHECK_H

#include "care/care.h"
#include "magstore/manifest.h"
#include "memstore/memstore.h"
#include "seal/seal.h"

/* A table that catalog, files or log speak of. */
struct check_table {
    uint64_t id, database;
    bool in_catalog, dropped; /* dropped: by the catalog's word or the log's */
    bool in_store;            /* files or log have something of it */
    struct mr_str name;       /* in the arena; as people write it */
    struct mem_table *mem;    /* its names, later the rows of the log; NULL: none yet */
    bool broken;              /* its names are damaged: what refers to them is not held against them */
    bool closed;              /* its key is not at hand */
    uint64_t misfit_lsn;      /* of the first entry of the log that does not fit; 0: all do */
    const char *misfit;
};

struct check {
    const char *dir;
    const struct mr_io *io;
    const struct care_watch *watch;
    struct care_counts *counts;
    struct care_progress progress;
    struct mr_arena arena;
    struct mem_budget budget;
    struct check_table *tables; /* ascending by id */
    size_t ntables, tables_cap;
    struct mr_pair *databases; /* id as 8 bytes, name */
    size_t ndatabases, databases_cap;
    bool catalog;                 /* it could be read */
    struct seal_keyring *keyring; /* NULL: it could not be opened */
    struct magstore_manifest manifest;
    bool manifest_known;
    bool nomem; /* inside a callback that cannot say so */
};

/* dir/name, NUL-terminated, in the arena. NULL: no memory. */
const char *care_check_path(struct check *check, const char *name);
void care_check_found(struct check *check, enum care_kind kind, const char *file,
                      const struct check_table *table, const char *text);
/* Counts bytes looked at; MR_ECANCEL when the watch ends the check. */
int care_check_step(struct check *check, const char *doing, uint64_t bytes, struct mr_error *err);
/* The table of that number, made when it is new. NULL: no memory. */
struct check_table *care_check_table(struct check *check, uint64_t id);
/* The same, as one of the store's: its database is held against what is known. `where` is told when they
 * differ. */
struct check_table *care_check_store_table(struct check *check, uint64_t database, uint64_t id,
                                           const char *where);

int care_check_files(struct check *check, struct mr_error *err); /* check_files.c */
int care_check_log(struct check *check, struct mr_error *err);   /* check_log.c */

#endif
