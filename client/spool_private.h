/* client/spool_private.h - what spool.c (appending, handing out) and spool_open.c (what an earlier process
 * left) share. */
#ifndef MR_CLIENT_SPOOL_PRIVATE_H
#define MR_CLIENT_SPOOL_PRIVATE_H

#include <pthread.h>

#include "client/spool.h"

#define SPOOL_MAGIC "MRSPOOL1"
#define SPOOL_MAGIC_LEN 8
#define SPOOL_FRAME_HEAD 12
#define SPOOL_PAYLOAD_MAX ((uint32_t)8 << 20)
#define SPOOL_NAME_PREFIX "spool-"
#define SPOOL_NAME_SUFFIX ".mrs"

struct frame {
    uint64_t offset; /* of its head */
    uint32_t len, records;
    uint64_t ended[2];
    bool taken, done;
};

struct segment {
    uint64_t number;
    uint64_t bytes;
    struct frame *frames;
    size_t nframes, cap;
    size_t undone;
    int fd;       /* of the one that is appended to; -1 otherwise */
    bool damaged; /* goes aside instead of away */
};

struct spool {
    const struct mr_io *io;
    char *dir;
    uint64_t max_bytes;
    int lock_fd;
    pthread_mutex_t lock;
    struct segment **segments; /* by number; owned */
    size_t nsegments, cap;
    struct segment *active; /* NULL, or the last one */
    uint64_t next_number;
    struct spool_stats stats;
    struct mr_buf scratch;
};

/* dir/spool-<number>.mrs<suffix>; NULL when memory is short. */
char *client_spool_path(const struct spool *s, uint64_t number, const char *suffix);
/* At the end of the list, without a file. NULL when memory is short. */
struct segment *client_spool_add_segment(struct spool *s, uint64_t number);
/* Room for a frame at the end of the segment's list; it counts once nframes does. NULL when memory is short.
 */
struct frame *client_spool_add_frame(struct segment *segment);
/* The segment's frames are done: its file goes, aside if it is damaged. Frees the segment. */
void client_spool_retire(struct spool *s, struct segment *segment);
void client_spool_free_segment(struct spool *s, struct segment *segment);

#endif
