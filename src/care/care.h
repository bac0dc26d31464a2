/* care/care.h - looking after what is stored: checks, text dumps.
 *
 * Everything here reads and changes nothing. A check goes on after what it finds, so that one run tells all
 * of the damage; what the findings mean for an operator stands in docs/operations.md.
 *
 * Thread-safety: a call has its own state; the watch is called on the caller's thread.
 */
#ifndef MR_CARE_CARE_H
#define MR_CARE_CARE_H

#include "base/io.h"

#include <stdio.h>

enum care_kind {
    CARE_DAMAGE,    /* stored bytes that are wrong, or do not fit others */
    CARE_UNCHECKED, /* cannot be looked at now: a key that is not at hand */
    CARE_LEFTOVER,  /* what a killed process left; the next start removes it */
};

struct care_finding {
    enum care_kind kind;
    const char *file;  /* path relative to the data directory */
    const char *table; /* "database"."table" as far as it is known, or "" */
    const char *text;  /* what is wrong, with the offset where there is one */
};

struct care_counts {
    uint64_t files, names_files, blocks, rows, series, log_segments, log_entries, log_rows, keys, databases,
        tables, bytes;
    uint64_t damaged, unchecked, leftovers; /* findings */
    uint64_t wal_low, next_lsn;             /* of manifest and log */
};

struct care_progress {
    const char *doing;
    uint64_t done, total; /* bytes of the files of the store; total 0: not known */
};

struct care_watch {
    void *ctx;
    void (*found)(void *ctx, const struct care_finding *finding);
    bool (*step)(void *ctx, const struct care_progress *progress); /* often; false: end with MR_ECANCEL */
};

/* The lock that a serving process holds on a data directory: MR_EBUSY, and the text says so. Released by
 * care_unlock. A directory without a lock file is nobody's: *fd is -1. */
int care_lock(const char *dir, int *fd, struct mr_error *err);
void care_unlock(int fd);

/* Everything in a data directory: catalog, keyring, manifests, files of names, segments, log, and what each
 * says of the others. Takes about the memory that a start takes. MR_OK: it was looked at, whatever was found
 * (counts.damaged). Else it could not be: MR_ENOENT (no data directory), MR_EBUSY, MR_EIO, MR_ENOMEM,
 * MR_ECANCEL. The lock is the caller's business. */
int care_check(const char *dir, const struct care_watch *watch, struct care_counts *counts,
               struct mr_error *err);

struct care_dump {
    const char *keys; /* directory of the keyring; NULL: where it lies beside the path in a data directory */
    bool contents;    /* entries, names and rows too, not only what frames them */
};

/* A file of the store, its directories "wal" and "files", or a whole data directory as text: names as they
 * are, numbers in decimal, no key. A server may be running. MR_EINVAL: nothing of ours. MR_ECORRUPT: damaged;
 * the text says where, and what comes before it was printed. */
int care_dump(const char *path, const struct care_dump *how, FILE *out, struct mr_error *err);

#endif
