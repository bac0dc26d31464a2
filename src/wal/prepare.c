/* wal/prepare.c - the preparer: one zero-filled segment always lies ready, so that the log thread never waits
 * for zeros and a sync never has to make a file grow (that costs milliseconds, docs/format/wal.md has the
 * numbers).
 *
 * Happy path
 *   1. Make the temporary file, reserve and zero-fill it piece by piece, sync.
 *   2. Hand the descriptor over; the log thread gives the file its name when it takes it (segment.c).
 *   3. Sleep until it is taken.
 *
 * Failure modes
 *   any call fails   The file is removed and room_failed set: appends that no longer fit into the active
 * segment answer MR_ENOSPC and ask for another attempt. Without being asked there is one every second.
 * Nothing acknowledged is in this file, so even a failed sync is only a failed attempt: the next one starts
 *                    from a new file.
 */
#include "wal/private.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#define PIECE_BYTES (1u << 20) /* zeros written at once */
#define SYNC_EVERY                                                                                           \
    (4 * PIECE_BYTES) /* and made durable: in small helpings, so that commits do not queue behind them */
#define RETRY_NS MR_NS_PER_S

static int zero_fill(struct wal *wal, int fd, const char *path, struct mr_error *err)
{
    unsigned char *zeros = mr_calloc(1, PIECE_BYTES);
    if (zeros == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory preparing %s", path);
    int status = MR_OK;
    for (uint64_t at = 0, synced = 0; at < wal->segment_bytes && status == MR_OK;) {
        if (__atomic_load_n(&wal->stop_prepare, __ATOMIC_RELAXED)) {
            status = mr_error_set(err, MR_ECANCEL, "closing");
            break;
        }
        uint64_t left = wal->segment_bytes - at;
        size_t piece = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        status = mr_io_pwrite_full(wal->io, fd, zeros, piece, (int64_t)at, path, err);
        at += piece;
        if (status == MR_OK && (at - synced >= SYNC_EVERY || at == wal->segment_bytes)) {
            int rc = wal->io->fdatasync(wal->io->ctx, fd);
            if (rc < 0)
                status = mr_error_errno(err, mr_io_status(rc), -rc, "cannot sync %s", path);
            synced = at;
        }
    }
    mr_free(zeros);
    return status;
}

/* Makes the file. Its descriptor, or -1 with nothing left behind. */
static int prepare(struct wal *wal, const char *path, struct mr_error *err)
{
    const struct mr_io *io = wal->io;
    int fd = io->open(io->ctx, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) {
        mr_error_errno(err, mr_io_status(fd), -fd, "cannot make %s", path);
        return -1;
    }
    int status = MR_OK;
    int rc = io->fallocate(io->ctx, fd, 0, (int64_t)wal->segment_bytes);
    if (rc < 0 && rc != -EOPNOTSUPP) /* a file system without it: the zeros reserve the room as well */
        status = mr_error_errno(err, mr_io_status(rc), -rc, "cannot reserve %s", path);
    if (status == MR_OK)
        status = zero_fill(wal, fd, path, err);
    if (status == MR_OK)
        return fd;
    io->close(io->ctx, fd);
    io->unlink(io->ctx, path); /* a leftover is overwritten by the next attempt */
    return -1;
}

/* Waits until a segment is to be made. false: stop. Under lock. */
static bool wait_for_need(struct wal *wal)
{
    while (!wal->stop_prepare &&
           (wal->ready_fd >= 0 || wal->naming || (wal->room_failed && !wal->room_retry))) {
        if (wal->ready_fd >= 0 || wal->naming) {
            pthread_cond_wait(&wal->prepare, &wal->lock);
            continue;
        }
        int64_t at = mr_clock_mono(&mr_clock_system) + RETRY_NS;
        struct timespec until = {at / MR_NS_PER_S, at % MR_NS_PER_S};
        if (pthread_cond_timedwait(&wal->prepare, &wal->lock, &until) == ETIMEDOUT)
            break;
    }
    return !wal->stop_prepare;
}

void *wal_prepare_main(void *arg)
{
    struct wal *wal = arg;
    char path[WAL_PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", wal->dir, WAL_TEMP_NAME);
    pthread_mutex_lock(&wal->lock);
    while (wait_for_need(wal)) {
        wal->preparing = true;
        wal->room_retry = false;
        struct mr_error err = MR_ERROR_INIT;
        /* The list's next place is made now, when failing is still allowed. */
        int fd = -1;
        if (mr_grow((void **)&wal->segments, &wal->segments_cap, wal->nsegments + 2, sizeof *wal->segments) !=
            MR_OK) {
            mr_error_set(&err, MR_ENOMEM, "out of memory preparing %s", path);
        } else {
            pthread_mutex_unlock(&wal->lock);
            fd = prepare(wal, path, &err);
            pthread_mutex_lock(&wal->lock);
        }
        wal->ready_fd = fd;
        if (fd < 0 && !wal->room_failed && !wal->stop_prepare)
            mr_log(MR_LOG_ERROR, "wal_no_room", "reason=\"%s\"", err.text);
        if (fd >= 0 && wal->room_failed)
            mr_log(MR_LOG_INFO, "wal_room_again", "path=\"%s\"", path);
        wal->room_failed = fd < 0;
        wal->preparing = false;
        pthread_cond_signal(&wal->ready);
        pthread_cond_broadcast(&wal->done); /* wal_open waits for either outcome */
    }
    pthread_mutex_unlock(&wal->lock);
    return NULL;
}

void wal_ready_retry(struct wal *wal)
{
    wal->room_retry = true;
    pthread_cond_signal(&wal->prepare);
}

int wal_ready_take(struct wal *wal, uint64_t need)
{
    pthread_mutex_lock(&wal->lock);
    while (wal->ready_fd < 0 && !(wal->stop && wal->room_failed && !wal->room_retry && !wal->preparing))
        pthread_cond_wait(&wal->ready, &wal->lock);
    int fd = wal->ready_fd;
    wal->ready_fd = -1;
    if (fd >= 0) {
        MR_ASSERT(WAL_SECTOR + need <= wal->segment_bytes);
        wal->room = wal->segment_bytes - WAL_SECTOR - need;
        wal->naming = true;
    }
    pthread_mutex_unlock(&wal->lock);
    return fd;
}

void wal_ready_named(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    wal->naming = false;
    pthread_cond_signal(&wal->prepare);
    pthread_mutex_unlock(&wal->lock);
}

void wal_ready_reject(struct wal *wal, int fd, const char *why)
{
    char path[WAL_PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", wal->dir, WAL_TEMP_NAME);
    mr_log(MR_LOG_ERROR, "wal_no_room", "reason=\"cannot use %s: %s\"", path, why);
    wal->io->close(wal->io->ctx, fd);
    wal->io->unlink(wal->io->ctx, path);
    pthread_mutex_lock(&wal->lock);
    wal->naming = false;
    wal->room = 0;
    wal->room_failed = true;
    pthread_cond_signal(&wal->prepare);
    pthread_cond_broadcast(&wal->done);
    pthread_mutex_unlock(&wal->lock);
}
