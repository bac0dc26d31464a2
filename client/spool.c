#include "client/spool.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/cursor.h"
#include "base/hash.h"

#define MAGIC "MRSPOOL1"
#define MAGIC_LEN 8
#define FRAME_HEAD 12
#define PAYLOAD_MAX ((uint32_t)8 << 20)
#define RECORDS_MAX 100
#define RESYNC_BUDGET ((uint64_t)256 << 20)
#define NAME_PREFIX "spool-"
#define NAME_SUFFIX ".mrs"

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

/* ---- names ---- */

static char *path_of(const struct spool *s, uint64_t number, const char *suffix)
{
    size_t room = strlen(s->dir) + 64;
    char *path = mr_malloc(room);
    if (path != NULL)
        snprintf(path, room, "%s/" NAME_PREFIX "%016llx" NAME_SUFFIX "%s", s->dir, (unsigned long long)number,
                 suffix);
    return path;
}

static bool number_of(const char *name, uint64_t *number)
{
    char *end = NULL;
    size_t prefix = strlen(NAME_PREFIX);
    if (strlen(name) != prefix + 16 + strlen(NAME_SUFFIX) || strncmp(name, NAME_PREFIX, prefix) != 0 ||
        strspn(name + prefix, "0123456789abcdef") != 16)
        return false;
    *number = strtoull(name + prefix, &end, 16);
    return strcmp(end, NAME_SUFFIX) == 0 && *number < UINT64_MAX;
}

static struct segment *find(const struct spool *s, uint64_t number)
{
    for (size_t i = 0; i < s->nsegments; i++)
        if (s->segments[i]->number == number)
            return s->segments[i];
    return NULL;
}

static struct segment *add_segment(struct spool *s, uint64_t number)
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

static struct frame *add_frame(struct segment *segment)
{
    void *items = segment->frames;
    if (mr_grow(&items, &segment->cap, segment->nframes + 1, sizeof *segment->frames) != MR_OK)
        return NULL;
    segment->frames = items;
    segment->frames[segment->nframes] = (struct frame){.offset = segment->bytes};
    return &segment->frames[segment->nframes];
}

static void free_segment(struct spool *s, struct segment *segment)
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
static void retire(struct spool *s, struct segment *segment)
{
    char *path = path_of(s, segment->number, ""), *aside = path_of(s, segment->number, ".bad");
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
    free_segment(s, segment);
}

/* ---- appending ---- */

static int start_segment(struct spool *s, struct mr_error *err)
{
    char *path = path_of(s, s->next_number, "");
    struct segment *segment = path != NULL ? add_segment(s, s->next_number) : NULL;
    int rc = segment != NULL ? MR_OK : MR_ENOMEM;
    if (rc == MR_OK) {
        segment->fd = s->io->open(s->io->ctx, path, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (segment->fd < 0) {
            rc = mr_error_errno(err, mr_io_status(segment->fd), -segment->fd, "%s", path);
            segment->fd = -1;
        }
    }
    if (rc == MR_OK)
        rc = mr_io_pwrite_full(s->io, segment->fd, MAGIC, MAGIC_LEN, 0, path, err);
    if (rc == MR_OK)
        rc = mr_io_sync_dir(s->io, s->dir, err);
    mr_free(path);
    if (segment == NULL)
        return rc;
    segment->bytes = rc == MR_OK ? MAGIC_LEN : 0;
    s->stats.bytes += segment->bytes;
    if (rc == MR_OK)
        s->active = segment;
    else
        retire(s, segment);
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
    if (s->stats.bytes + MAGIC_LEN + FRAME_HEAD + payload.len > s->max_bytes || payload.len > PAYLOAD_MAX)
        rc =
            mr_error_set(err, MR_ENOSPC, "The spool is full (%llu bytes).", (unsigned long long)s->max_bytes);
    if (rc == MR_OK && !build_frame(s, payload, records))
        rc = MR_ENOMEM;
    if (rc == MR_OK && s->active != NULL && s->active->bytes >= SPOOL_SEGMENT_BYTES)
        stop_appending(s);
    if (rc == MR_OK && s->active == NULL)
        rc = start_segment(s, err);
    struct frame *frame = rc == MR_OK ? add_frame(s->active) : NULL;
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
                retire(s, segment);
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
        rc = mr_io_pread_full(s->io, fd, room, f->len, (int64_t)(f->offset + FRAME_HEAD), path, err);
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
    char *path = path_of(s, frame->segment, "");
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
        retire(s, segment);
    pthread_mutex_unlock(&s->lock);
}

void client_spool_stats(struct spool *s, struct spool_stats *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->stats;
    pthread_mutex_unlock(&s->lock);
}

/* ---- opening: what an earlier process left ---- */

/* Whether a whole frame begins at `at`. */
static bool scan_frame(struct mr_str file, uint64_t at, struct frame *f)
{
    uint32_t head[3];
    if (file.len - at < FRAME_HEAD)
        return false;
    memcpy(head, file.ptr + at, sizeof head);
    if (head[0] > PAYLOAD_MAX || head[0] > file.len - at - FRAME_HEAD || head[1] == 0 ||
        head[1] > RECORDS_MAX)
        return false;
    *f = (struct frame){.offset = at, .len = head[0], .records = head[1]};
    return mr_crc32c(mr_crc32c(0, head, 8), file.ptr + at + FRAME_HEAD, head[0]) == head[2];
}

/* The next frame behind a place where none is; false when there is none. Looks at every byte: what a damaged
 * length hides may be a day's records. The checksums tried are bounded, for files that were made to be slow.
 */
static bool resync(struct mr_str file, uint64_t *at)
{
    struct frame f;
    uint64_t budget = RESYNC_BUDGET;
    for (uint64_t p = *at + 1; p + FRAME_HEAD <= file.len; p++) {
        uint32_t len;
        memcpy(&len, file.ptr + p, sizeof len);
        if (scan_frame(file, p, &f)) {
            *at = p;
            return true;
        }
        if (len <= file.len - p) {
            if (budget < len)
                return false;
            budget -= len;
        }
    }
    return false;
}

/* Something unreadable with nothing behind it was being written when the process ended: nobody was promised
 * it. With frames behind it, it is damage. */
static int scan(struct spool *s, struct segment *segment, struct mr_str file)
{
    uint64_t at = MAGIC_LEN;
    while (at < file.len) {
        struct frame found;
        if (!scan_frame(file, at, &found)) {
            if (!resync(file, &at))
                break;
            segment->damaged = true;
            s->stats.damaged++;
            continue;
        }
        struct frame *f = add_frame(segment);
        if (f == NULL)
            return MR_ENOMEM;
        *f = found;
        segment->nframes++;
        segment->undone++;
        s->stats.frames++;
        s->stats.recovered += found.records;
        at += FRAME_HEAD + found.len;
    }
    segment->bytes = file.len;
    s->stats.bytes += file.len;
    return MR_OK;
}

static int recover(struct spool *s, uint64_t number, struct mr_error *err)
{
    struct mr_buf file = MR_BUF_INIT;
    char *path = path_of(s, number, "");
    struct segment *segment = path != NULL ? add_segment(s, number) : NULL;
    int rc = segment != NULL
                 ? mr_io_read_file(s->io, path, SPOOL_SEGMENT_BYTES + PAYLOAD_MAX + 4096, &file, err)
                 : MR_ENOMEM;
    struct mr_str bytes = mr_buf_view(&file);
    if (rc == MR_OK && mr_str_starts(bytes, MR_STR(MAGIC)))
        rc = scan(s, segment, bytes);
    else if (rc == MR_OK && bytes.len > MAGIC_LEN) {
        segment->damaged = true;
        s->stats.damaged++;
    }
    if (rc == MR_OK && segment->undone == 0)
        retire(s, segment);
    mr_buf_release(&file);
    mr_free(path);
    return rc;
}

struct names {
    uint64_t *at;
    size_t len, cap;
};

static int on_name(void *arg, const char *name)
{
    struct names *names = arg;
    uint64_t number;
    if (!number_of(name, &number))
        return 0;
    void *items = names->at;
    if (mr_grow(&items, &names->cap, names->len + 1, sizeof number) != MR_OK)
        return 1; /* table functions give negated errnos */
    names->at = items;
    names->at[names->len++] = number;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int recover_all(struct spool *s, struct mr_error *err)
{
    struct names names = {NULL, 0, 0};
    int rc = s->io->list(s->io->ctx, s->dir, on_name, &names);
    if (rc > 0)
        rc = MR_ENOMEM;
    else if (rc < 0)
        rc = mr_error_errno(err, mr_io_status(rc), -rc, "%s", s->dir);
    if (rc == 0 && names.len > 0)
        qsort(names.at, names.len, sizeof *names.at, by_number);
    for (size_t i = 0; rc == 0 && i < names.len; i++)
        rc = recover(s, names.at[i], err);
    mr_free(names.at);
    return rc;
}

static int take_lock(struct spool *s, struct mr_error *err)
{
    size_t room = strlen(s->dir) + 8;
    char *path = mr_malloc(room);
    if (path == NULL)
        return MR_ENOMEM;
    snprintf(path, room, "%s/lock", s->dir);
    int rc = MR_OK;
    s->lock_fd = s->io->open(s->io->ctx, path, O_RDWR | O_CREAT, 0600);
    if (s->lock_fd < 0)
        rc = mr_error_errno(err, mr_io_status(s->lock_fd), -s->lock_fd, "%s", path);
    else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        rc = mr_error_set(err, MR_EBUSY, "%s: another process has this spool.", s->dir);
    mr_free(path);
    return rc;
}

int client_spool_open(struct spool **out, const struct mr_io *io, const char *dir, uint64_t max_bytes,
                      bool lock, struct mr_error *err)
{
    *out = NULL;
    struct spool *s = mr_calloc(1, sizeof *s);
    if (s == NULL)
        return MR_ENOMEM;
    s->io = io;
    s->max_bytes = max_bytes;
    s->lock_fd = -1;
    s->next_number = 1;
    s->dir = mr_strndup(dir, strlen(dir));
    if (s->dir == NULL || pthread_mutex_init(&s->lock, NULL) != 0) {
        mr_free(s->dir);
        mr_free(s);
        return MR_ENOMEM;
    }
    int rc = lock ? take_lock(s, err) : MR_OK;
    if (rc == MR_OK)
        rc = recover_all(s, err);
    if (rc == MR_OK)
        *out = s;
    else
        client_spool_close(s);
    return rc;
}

void client_spool_close(struct spool *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->nsegments; i++)
        free_segment(s, s->segments[i]);
    if (s->lock_fd >= 0)
        s->io->close(s->io->ctx, s->lock_fd);
    mr_free(s->segments);
    mr_buf_release(&s->scratch);
    pthread_mutex_destroy(&s->lock);
    mr_free(s->dir);
    mr_free(s);
}
