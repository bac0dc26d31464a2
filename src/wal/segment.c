/* wal/segment.c - taking a new segment into use.
 *
 * Happy path
 *   1. Take the file that the preparer has ready.
 *   2. Write the header (a fresh random id and with it a fresh key, the next number, the first LSN) and the
 * first frame; one sync for both.
 *   3. Give it its name, sync the directory. From here on the segment exists, with a frame in it: what its
 * header says about older segments (all below first_lsn durable, the rest void) becomes true in the same
 * instant.
 *   4. Once after a start: what recovery left behind is cut. Older segments that are void altogether are
 * removed, and the one that was being written gives back the room behind its last frame.
 *
 * Failure modes
 *   write or sync fails   wal_die
 *   no key, or the rename fails   Nothing refers to the file: it is dropped and the frame waits for another
 * one. the cut fails         Room is wasted until the trim; one line in the log. crash before 3        The
 * file has a temporary name and is overwritten by the next start.
 */
#include "wal/private.h"

#include "base/log.h"
#include "base/rand.h"

#include <fcntl.h>
#include <stdio.h>

static void segment_path(const struct wal *wal, uint64_t sequence, char out[WAL_PATH_BYTES])
{
    char name[WAL_NAME_BYTES];
    wal_segment_name(sequence, name);
    snprintf(out, WAL_PATH_BYTES, "%s/%s", wal->dir, name);
}

/* A new header, and the key that follows from its id and the newest data key. The one before is done with:
 * a segment is left for good when its next frame does not fit. */
static int begin_segment(struct wal *wal, uint64_t sequence, uint64_t first_lsn, struct mr_error *err)
{
    struct wal_segment_header *header = &wal->header;
    struct seal_key data_key;
    *header = (struct wal_segment_header){
        .segment_bytes = wal->segment_bytes,
        .sequence = sequence,
        .first_lsn = first_lsn,
    };
    mr_random_bytes(header->id, sizeof header->id);
    wal->counter = 0;
    int status = seal_keyring_newest(wal->keyring, SEAL_SCOPE_STORE, &header->generation, &data_key, err);
    if (status != MR_OK)
        return status;
    status = seal_derive(&data_key, header->id, &wal->key, err);
    seal_key_wipe(&data_key);
    wal_segment_header_seal(header);
    return status;
}

static void write_header(struct wal *wal, int fd)
{
    unsigned char sector[WAL_SECTOR] = {0};
    memcpy(sector, &wal->header, sizeof wal->header);
    struct mr_error err = MR_ERROR_INIT;
    if (mr_io_pwrite_full(wal->io, fd, sector, sizeof sector, 0, wal->path, &err) != MR_OK)
        wal_die("write", wal->path, err.text);
}

/* Step 4, for the newest recovered segment. */
static void cut_end(struct wal *wal, uint64_t sequence)
{
    char path[WAL_PATH_BYTES];
    if (wal->recovered_end < 0)
        return;
    segment_path(wal, sequence, path);
    int fd = wal->io->open(wal->io->ctx, path, O_RDWR, 0);
    int rc = fd < 0 ? fd : wal->io->ftruncate(wal->io->ctx, fd, wal->recovered_end);
    if (fd >= 0)
        wal->io->close(wal->io->ctx, fd);
    if (rc < 0)
        mr_log(MR_LOG_WARN, "wal_cut_failed", "path=\"%s\" reason=\"%s\"", path, strerror(-rc));
}

/* Step 4, under trim_lock. Recovered segments that begin at or above the first LSN of the new one have
 * nothing left to say; they are the ones just before it in the list. */
static void retire(struct wal *wal, uint64_t first_lsn)
{
    for (;;) {
        pthread_mutex_lock(&wal->lock);
        size_t n = wal->nsegments;
        struct wal_segment_ref old = n >= 2 ? wal->segments[n - 2] : (struct wal_segment_ref){0, 0};
        pthread_mutex_unlock(&wal->lock);
        if (n < 2)
            return;
        if (old.first_lsn < first_lsn) {
            cut_end(wal, old.sequence);
            return;
        }
        char path[WAL_PATH_BYTES];
        segment_path(wal, old.sequence, path);
        int rc = wal->io->unlink(wal->io->ctx, path);
        if (rc < 0) {
            mr_log(MR_LOG_WARN, "wal_cut_failed", "path=\"%s\" reason=\"%s\"", path, strerror(-rc));
            return;
        }
        pthread_mutex_lock(&wal->lock);
        wal->segments[wal->nsegments - 2] = wal->segments[wal->nsegments - 1];
        wal->nsegments--;
        pthread_mutex_unlock(&wal->lock);
        wal->recovered_end = -1; /* that was the removed one's */
    }
}

/* The frame goes into another segment, under that one's key: back to what was queued. */
static void unseal(struct wal *wal, struct wal_batch *b)
{
    struct wal_frame_header header;
    unsigned char *payload = b->bytes + WAL_FRAME_HEADER_BYTES;
    memcpy(&header, b->bytes, sizeof header);
    MR_ASSERT(wal_frame_open(&wal->header, &header, wal->cipher, &wal->key, payload, payload) == NULL);
}

/* A second lies between two tries. Room may come back, and a name in the same directory seldom needs any; but
 * the writers must have an answer before their clients give up (a minute, with the SDKs). */
#define RENAMES_REFUSED 5
#define RENAMES_NO_ROOM 20

bool wal_roll(struct wal *wal, struct wal_batch *b)
{
    char temp[WAL_PATH_BYTES];
    uint64_t sequence = wal->sequence + 1;
    unsigned failed = 0;
    int fd;
    snprintf(temp, sizeof temp, "%s/%s", wal->dir, WAL_TEMP_NAME);
    segment_path(wal, sequence, wal->path);
    for (;;) {
        fd = wal_ready_take(wal, wal_batch_room(b));
        if (fd < 0)
            return false;
        struct mr_error err = MR_ERROR_INIT;
        if (begin_segment(wal, sequence, b->first_lsn, &err) != MR_OK) {
            wal_ready_reject(wal, fd, err.text);
            continue;
        }
        write_header(wal, fd);
        wal_write_frame(wal, fd, WAL_SECTOR, b);
        wal_sync(wal, fd, b);
        int rc = wal->io->rename(wal->io->ctx, temp, wal->path);
        if (rc == 0)
            break;
        if (++failed == (mr_io_status(rc) == MR_ENOSPC ? RENAMES_NO_ROOM : RENAMES_REFUSED))
            wal_die("rename", wal->path, strerror(-rc));
        unseal(wal, b);
        wal_ready_reject(wal, fd, strerror(-rc));
    }
    int rc = wal->io->fsync(wal->io->ctx, wal->dir_fd);
    if (rc < 0)
        wal_die("fsync", wal->dir, strerror(-rc));
    if (wal->fd >= 0)
        wal->io->close(wal->io->ctx, wal->fd);
    wal->fd = fd;
    wal->sequence = sequence;
    wal->offset = WAL_SECTOR + wal_batch_room(b);
    pthread_mutex_lock(&wal->lock);
    MR_ASSERT(wal->nsegments < wal->segments_cap);
    wal->segments[wal->nsegments++] = (struct wal_segment_ref){sequence, b->first_lsn};
    pthread_mutex_unlock(&wal->lock);
    wal_ready_named(wal);
    if (wal->retire) {
        wal->retire = false;
        pthread_mutex_lock(&wal->trim_lock);
        retire(wal, b->first_lsn);
        pthread_mutex_unlock(&wal->trim_lock);
    }
    return true;
}
