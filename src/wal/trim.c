/* wal/trim.c - removing segments that hold nothing needed.
 *
 * The caller has made durable, elsewhere, whatever the trimmed entries said (reliability rule 3: first the
 * manifest, then the unlink). Segments go oldest first and each removal is durable before the next begins: a
 * power cut that kept the older and lost the newer of two removed segments would look like a hole in the log.
 *
 * A directory sync that fails leaves unknown which names are on disk: wal_die.
 */
#include "wal/private.h"

#include <errno.h>

int wal_trim(struct wal *wal, uint64_t lsn, struct mr_error *err)
{
    int status = MR_OK;
    pthread_mutex_lock(&wal->trim_lock);
    for (;;) {
        pthread_mutex_lock(&wal->lock);
        /* The newest segment stays: it carries the LSN across restarts. */
        bool any = wal->nsegments >= 2 && wal->segments[1].first_lsn - 1 <= lsn;
        uint64_t sequence = any ? wal->segments[0].sequence : 0;
        pthread_mutex_unlock(&wal->lock);
        if (!any)
            break;
        char name[WAL_NAME_BYTES], path[WAL_PATH_BYTES];
        wal_segment_name(sequence, name);
        snprintf(path, sizeof path, "%s/%s", wal->dir, name);
        int rc = wal->io->unlink(wal->io->ctx, path);
        if (rc < 0 && rc != -ENOENT) {
            status = mr_error_errno(err, mr_io_status(rc), -rc, "cannot remove %s", path);
            break;
        }
        rc = wal->io->fsync(wal->io->ctx, wal->dir_fd);
        if (rc < 0)
            wal_die("fsync", wal->dir, strerror(-rc));
        pthread_mutex_lock(&wal->lock);
        wal->nsegments--;
        memmove(wal->segments, wal->segments + 1, wal->nsegments * sizeof *wal->segments);
        pthread_mutex_unlock(&wal->lock);
    }
    pthread_mutex_unlock(&wal->trim_lock);
    return status;
}
