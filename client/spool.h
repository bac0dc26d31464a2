/* client/spool.h - batches on disk, for as long as they cannot be sent.
 *
 * A directory with segment files, spool-<16 hex digits>.mrs, each a head and frames:
 *
 *   head    8 bytes "MRSPOOL1"
 *   frame   4 bytes length of the payload, 4 bytes number of records, 4 bytes CRC-32C of those eight and the
 * payload, payload (client/batch.h)
 *
 * (1) client_spool_append returns MR_OK only when the frame and the name of its file are durable.
 * (2) A frame is handed out again, by this process or the next, until client_spool_done; then its file goes
 * once all its frames are done. So after a crash frames may be sent twice, and none is lost. (3) A process
 * appends only to files that it has made itself: what a crash left behind is read and never written to. (4) A
 * file in which something cannot be read, other than an unfinished frame at its end, is renamed to *.bad
 * instead of being removed.
 *
 * Thread-safe.
 */
#ifndef MR_CLIENT_SPOOL_H
#define MR_CLIENT_SPOOL_H

#include "base/io.h"

#define SPOOL_SEGMENT_BYTES ((uint64_t)4 << 20) /* a file that is larger gets no further frame */

struct spool;

/* One frame, in the hands of whoever sends it. */
struct spool_frame {
    uint64_t segment;
    size_t index; /* in the segment */
    unsigned records;
    uint64_t ended[2]; /* bits of records that have ended; kept in memory from client_spool_return to
                          client_spool_take */
};

struct spool_stats {
    uint64_t bytes;     /* on disk */
    uint64_t frames;    /* not done */
    uint64_t recovered; /* records found at open */
    uint64_t damaged;   /* stretches that could not be read */
};

/* The directory must exist. With `lock`, MR_EBUSY when another process has it. */
int client_spool_open(struct spool **out, const struct mr_io *io, const char *dir, uint64_t max_bytes,
                      bool lock, struct mr_error *err);
void client_spool_close(struct spool *spool);

/* MR_OK; MR_ENOSPC when max_bytes or the disk is full; MR_EIO, MR_ENOMEM. After a failure the frame may
 * nevertheless be there after a crash. */
int client_spool_append(struct spool *spool, struct mr_str payload, unsigned records, struct mr_error *err);

/* The oldest frame that nobody holds; false when there is none. */
bool client_spool_take(struct spool *spool, struct spool_frame *out);
/* Its payload. MR_ECORRUPT when it changed since it was written. */
int client_spool_read(struct spool *spool, const struct spool_frame *frame, struct mr_buf *out,
                      struct mr_error *err);
void client_spool_return(struct spool *spool, const struct spool_frame *frame);
/* `good` is false for a frame that could not be read. */
void client_spool_done(struct spool *spool, const struct spool_frame *frame, bool good);

void client_spool_stats(struct spool *spool, struct spool_stats *out);

#endif
