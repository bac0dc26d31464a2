#include "client/spool_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/hash.h"

#define RECORDS_MAX 100
#define RESYNC_BUDGET ((uint64_t)256 << 20)

static bool number_of(const char *name, uint64_t *number)
{
    char *end = NULL;
    size_t prefix = strlen(SPOOL_NAME_PREFIX);
    if (strlen(name) != prefix + 16 + strlen(SPOOL_NAME_SUFFIX) ||
        strncmp(name, SPOOL_NAME_PREFIX, prefix) != 0 || strspn(name + prefix, "0123456789abcdef") != 16)
        return false;
    *number = strtoull(name + prefix, &end, 16);
    return strcmp(end, SPOOL_NAME_SUFFIX) == 0 && *number < UINT64_MAX;
}

/* ---- opening: what an earlier process left ---- */

/* Whether a whole frame begins at `at`. */
static bool scan_frame(struct mr_str file, uint64_t at, struct frame *f)
{
    uint32_t head[3];
    if (file.len - at < SPOOL_FRAME_HEAD)
        return false;
    memcpy(head, file.ptr + at, sizeof head);
    if (head[0] > SPOOL_PAYLOAD_MAX || head[0] > file.len - at - SPOOL_FRAME_HEAD || head[1] == 0 ||
        head[1] > RECORDS_MAX)
        return false;
    *f = (struct frame){.offset = at, .len = head[0], .records = head[1]};
    return mr_crc32c(mr_crc32c(0, head, 8), file.ptr + at + SPOOL_FRAME_HEAD, head[0]) == head[2];
}

/* The next frame behind a place where none is; false when there is none. Looks at every byte: what a damaged
 * length hides may be a day's records. The checksums tried are bounded, for files that were made to be slow.
 */
static bool resync(struct mr_str file, uint64_t *at)
{
    struct frame f;
    uint64_t budget = RESYNC_BUDGET;
    for (uint64_t p = *at + 1; p + SPOOL_FRAME_HEAD <= file.len; p++) {
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
    uint64_t at = SPOOL_MAGIC_LEN;
    while (at < file.len) {
        struct frame found;
        if (!scan_frame(file, at, &found)) {
            if (!resync(file, &at))
                break;
            segment->damaged = true;
            s->stats.damaged++;
            continue;
        }
        struct frame *f = client_spool_add_frame(segment);
        if (f == NULL)
            return MR_ENOMEM;
        *f = found;
        segment->nframes++;
        segment->undone++;
        s->stats.frames++;
        s->stats.recovered += found.records;
        at += SPOOL_FRAME_HEAD + found.len;
    }
    segment->bytes = file.len;
    s->stats.bytes += file.len;
    return MR_OK;
}

static int recover(struct spool *s, uint64_t number, struct mr_error *err)
{
    struct mr_buf file = MR_BUF_INIT;
    char *path = client_spool_path(s, number, "");
    struct segment *segment = path != NULL ? client_spool_add_segment(s, number) : NULL;
    int rc = segment != NULL
                 ? mr_io_read_file(s->io, path, SPOOL_SEGMENT_BYTES + SPOOL_PAYLOAD_MAX + 4096, &file, err)
                 : MR_ENOMEM;
    struct mr_str bytes = mr_buf_view(&file);
    if (rc == MR_OK && mr_str_starts(bytes, MR_STR(SPOOL_MAGIC)))
        rc = scan(s, segment, bytes);
    else if (rc == MR_OK && bytes.len > SPOOL_MAGIC_LEN) {
        segment->damaged = true;
        s->stats.damaged++;
    }
    if (rc == MR_OK && segment->undone == 0)
        client_spool_retire(s, segment);
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
        client_spool_free_segment(s, s->segments[i]);
    if (s->lock_fd >= 0)
        s->io->close(s->io->ctx, s->lock_fd);
    mr_free(s->segments);
    mr_buf_release(&s->scratch);
    pthread_mutex_destroy(&s->lock);
    mr_free(s->dir);
    mr_free(s);
}
