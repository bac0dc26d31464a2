#include "client/spool_private.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/hash.h"

/* ---- names ---- */

char *client_spool_path(const struct spool *s, uint64_t number, const char *suffix)
{
    size_t room = strlen(s->dir) + 64;
    char *path = mr_malloc(room);
    if (path != NULL)
        snprintf(path, room, "%s/" SPOOL_NAME_PREFIX "%016llx" SPOOL_NAME_SUFFIX "%s", s->dir,
                 (unsigned long long)number, suffix);
    return path;
}

static struct segment *find(const struct spool *s, uint64_t number)
{
    for (size_t i = 0; i < s->nsegments; i++)
        if (s->segments[i]->number == number)
            return s->segments[i];
    return NULL;
}

struct segment *client_spool_add_segment(struct spool *s, uint64_t number)
{
    void *items = s->segments;
    struct segment *segment = mr_calloc(1, sizeof *segment);
    if (segment == NULL || mr_grow(&items, &s->cap, s->nsegments + 1, sizeof(struct segment *)) != MR_OK) {
        mr_free(segment);
        return NULL;
    }
    s->segments = items;
    segment->number = number;
    segment->fd = -1;
    s->segments[s->nsegments++] = segment;
    if (number >= s->next_number)
        s->next_number = number + 1;
    return segment;
}

struct frame *client_spool_add_frame(struct segment *segment)
{
    void *items = segment->frames;
    if (mr_grow(&items, &segment->cap, segment->nframes + 1, sizeof *segment->frames) != MR_OK)
        return NULL;
    segment->frames = items;
    segment->frames[segment->nframes] = (struct frame){.offset = segment->bytes};
    return &segment->frames[segment->nframes];
}

void client_spool_free_segment(struct spool *s, struct segment *segment)
{
    if (segment->fd >= 0)
        s->io->close(s->io->ctx, segment->fd);
    mr_free(segment->frames);
    mr_free(segment);
}

static void stop_appending(struct spool *s)
{
    if (s->active == NULL)
        return;
    s->io->close(s->io->ctx, s->active->fd);
    s->active->fd = -1;
    s->active = NULL;
}

/* All its frames are done. A file that cannot be removed is found again at the next start, and sent again. */
void client_spool_retire(struct spool *s, struct segment *segment)
{
    char *path = client_spool_path(s, segment->number, ""),
         *aside = client_spool_path(s, segment->number, ".bad");
    if (segment == s->active)
        stop_appending(s);
    if (path != NULL && aside != NULL) {
        if (segment->damaged)
            (void)s->io->rename(s->io->ctx, path, aside);
        else
            (void)s->io->unlink(s->io->ctx, path);
    }
    mr_free(path);
    mr_free(aside);
    s->stats.bytes -= segment->bytes;
    for (size_t i = 0; i < s->nsegments; i++)
        if (s->segments[i] == segment) {
            memmove(&s->segments[i], &s->segments[i + 1], (s->nsegments - i - 1) * sizeof(struct segment *));
            s->nsegments--;
            break;
        }
    client_spool_free_segment(s, segment);
}

/* ---- appending ---- */

static int start_segment(struct spool *s, struct mr_error *err)
{
    char *path = client_spool_path(s, s->next_number, "");
    struct segment *segment = path != NULL ? client_spool_add_segment(s, s->next_number) : NULL;
    int rc = segment != NULL ? MR_OK : MR_ENOMEM;
    if (rc == MR_OK) {
        segment->fd = s->io->open(s->io->ctx, path, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (segment->fd < 0) {
            rc = mr_error_errno(err, mr_io_status(segment->fd), -segment->fd, "%s", path);
            segment->fd = -1;
        }
    }
    if (rc == MR_OK)
        rc = mr_io_pwrite_full(s->io, segment->fd, SPOOL_MAGIC, SPOOL_MAGIC_LEN, 0, path, err);
    if (rc == MR_OK)
        rc = mr_io_sync_dir(s->io, s->dir, err);
    mr_free(path);
    if (segment == NULL)
        return rc;
    segment->bytes = rc == MR_OK ? SPOOL_MAGIC_LEN : 0;
    s->stats.bytes += segment->bytes;
    if (rc == MR_OK)
        s->active = segment;
    else
        client_spool_retire(s, segment);
    return rc;
}

/* Frame head and payload in one piece, so that one write carries it. */
static bool build_frame(struct spool *s, struct mr_str payload, unsigned records)
{
    struct mr_buf *b = &s->scratch;
    uint32_t head[2] = {(uint32_t)payload.len, records};
    b->len = 0;
    b->failed = false;
    mr_buf_add(b, head, sizeof head);
    mr_buf_u32(b, mr_crc32c(mr_crc32c(0, head, sizeof head), payload.ptr, payload.len));
    mr_buf_str(b, payload);
    return mr_buf_ok(b);
}

static int write_frame(struct spool *s, struct segment *segment, struct mr_error *err)
{
    const struct mr_io *io = s->io;
    int rc = mr_io_pwrite_full(io, segment->fd, s->scratch.ptr, s->scratch.len, (int64_t)segment->bytes,
                               s->dir, err);
    if (rc == MR_OK) {
        int sync = io->fdatasync(io->ctx, segment->fd);
        if (sync < 0)
            rc = mr_error_errno(err, mr_io_status(sync), -sync, "%s: fdatasync", s->dir);
    }
    return rc;
}

int client_spool_append(struct spool *s, struct mr_str payload, unsigned records, struct mr_error *err)
{
    int rc = MR_OK;
    pthread_mutex_lock(&s->lock);
    if (s->stats.bytes + SPOOL_MAGIC_LEN + SPOOL_FRAME_HEAD + payload.len > s->max_bytes ||
        payload.len > SPOOL_PAYLOAD_MAX)
        rc =
            mr_error_set(err, MR_ENOSPC, "The spool is full (%llu bytes).", (unsigned long long)s->max_bytes);
    if (rc == MR_OK && !build_frame(s, payload, records))
        rc = MR_ENOMEM;
    if (rc == MR_OK && s->active != NULL && s->active->bytes >= SPOOL_SEGMENT_BYTES)
        stop_appending(s);
    if (rc == MR_OK && s->active == NULL)
        rc = start_segment(s, err);
    struct frame *frame = rc == MR_OK ? client_spool_add_frame(s->active) : NULL;
    if (rc == MR_OK && frame == NULL)
        rc = MR_ENOMEM;
    if (rc == MR_OK) {
        struct segment *segment = s->active;
        rc = write_frame(s, segment, err);
        if (rc == MR_OK) {
            frame->len = (uint32_t)payload.len;
            frame->records = records;
            segment->nframes++;
            segment->undone++;
            segment->bytes += s->scratch.len;
            s->stats.bytes += s->scratch.len;
            s->stats.frames++;
        } else { /* what the file holds behind its last frame is unknown now: nothing may follow it */
            stop_appending(s);
            if (segment->undone == 0)
                client_spool_retire(s, segment);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* ---- handing out ---- */

bool client_spool_take(struct spool *s, struct spool_frame *out)
{
    bool found = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; !found && i < s->nsegments; i++) {
        struct segment *segment = s->segments[i];
        for (size_t k = 0; !found && segment->undone > 0 && k < segment->nframes; k++) {
            struct frame *f = &segment->frames[k];
            if (f->taken || f->done)
                continue;
            f->taken = true;
            found = true;
            *out = (struct spool_frame){segment->number, k, f->records, {f->ended[0], f->ended[1]}};
        }
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

static int read_frame(const struct spool *s, int fd, const struct frame *f, struct mr_buf *out,
                      const char *path, struct mr_error *err)
{
    uint32_t head[3];
    out->len = 0;
    char *room = mr_buf_reserve(out, f->len + (size_t)1);
    if (room == NULL)
        return MR_ENOMEM;
    int rc = mr_io_pread_full(s->io, fd, head, sizeof head, (int64_t)f->offset, path, err);
    if (rc == MR_OK)
        rc = mr_io_pread_full(s->io, fd, room, f->len, (int64_t)(f->offset + SPOOL_FRAME_HEAD), path, err);
    if (rc == MR_OK && (head[0] != f->len || mr_crc32c(mr_crc32c(0, head, 8), room, f->len) != head[2]))
        rc = mr_error_set(err, MR_ECORRUPT, "%s: the frame at %llu fails its checksum", path,
                          (unsigned long long)f->offset);
    if (rc == MR_OK)
        out->len = f->len;
    return rc;
}

int client_spool_read(struct spool *s, const struct spool_frame *frame, struct mr_buf *out,
                      struct mr_error *err)
{
    pthread_mutex_lock(&s->lock);
    struct segment *segment = find(s, frame->segment);
    MR_ASSERT(segment != NULL && frame->index < segment->nframes); /* a taken frame keeps its segment */
    struct frame f = segment->frames[frame->index];
    pthread_mutex_unlock(&s->lock);
    char *path = client_spool_path(s, frame->segment, "");
    if (path == NULL)
        return MR_ENOMEM;
    int fd = s->io->open(s->io->ctx, path, O_RDONLY, 0);
    int rc = fd < 0 ? mr_error_errno(err, MR_EIO, -fd, "%s", path) : read_frame(s, fd, &f, out, path, err);
    if (fd >= 0)
        s->io->close(s->io->ctx, fd);
    mr_free(path);
    return rc;
}

void client_spool_return(struct spool *s, const struct spool_frame *frame)
{
    pthread_mutex_lock(&s->lock);
    struct frame *f = &find(s, frame->segment)->frames[frame->index];
    f->taken = false;
    memcpy(f->ended, frame->ended, sizeof f->ended);
    pthread_mutex_unlock(&s->lock);
}

void client_spool_done(struct spool *s, const struct spool_frame *frame, bool good)
{
    pthread_mutex_lock(&s->lock);
    struct segment *segment = find(s, frame->segment);
    struct frame *f = &segment->frames[frame->index];
    MR_ASSERT(f->taken && !f->done);
    f->done = true;
    s->stats.frames--;
    if (!good) {
        segment->damaged = true;
        s->stats.damaged++;
    }
    if (--segment->undone == 0)
        client_spool_retire(s, segment);
    pthread_mutex_unlock(&s->lock);
}

void client_spool_stats(struct spool *s, struct spool_stats *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->stats;
    pthread_mutex_unlock(&s->lock);
}
