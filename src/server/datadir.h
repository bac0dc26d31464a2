/* server/datadir.h - the data directory: made, stamped and locked by one process at a time.
 *
 *     VERSION           "millrace data 1\n": the layout below; another number refuses to start
 *     lock              held by flock(2) while the server runs; holds its process id as text
 *     root-credentials  mode 0600, an AWS credentials file with the generated root pair (absent when the
 *                       environment gives one)
 *     catalog.sqlite    databases, tables, tags, settings (docs/format/catalog.md)
 *     store/            records (docs/format/wal.md)
 */
#ifndef MR_SERVER_DATADIR_H
#define MR_SERVER_DATADIR_H

#include "base/base.h"

struct datadir {
    char *path;
    char *store_path;
    int lock_fd; /* -1 when not held */
};

#define DATADIR_INIT                                                                                         \
    {                                                                                                        \
        NULL, NULL, -1                                                                                       \
    }

/* The file that a restore leaves in the directory until all of it is there and checked; what it says is the
 * backup. A directory with it is not opened. */
#define DATADIR_RESTORING "RESTORING"

/* Makes what is missing (umask 077), checks the stamp, takes the lock. Texts name the directory and what is
 * wrong. */
int datadir_open(const char *path, struct datadir *out, struct mr_error *err);
void datadir_close(struct datadir *dir);
/* Makes a directory that holds everything else a data directory: of this layout. */
int datadir_stamp(const char *path, struct mr_error *err);

/* The root pair: from the environment when both variables are set, else from root-credentials, else newly
 * made and kept there. `id` and `secret` are appended NUL-terminated; the caller cleanses the secret. */
int datadir_root_credentials(const struct datadir *dir, struct mr_buf *id, struct mr_buf *secret,
                             struct mr_error *err);

#endif
