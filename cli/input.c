#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define INPUT_BLOCK (128 << 10)

struct cli_input {
    gzFile file;
    const char *path;
    int64_t size;
    struct mr_buf carry; /* the beginning of a line whose end is in the next block */
    size_t at, len;      /* of block */
    bool ended;
    char block[INPUT_BLOCK];
};

struct cli_input *cli_input_open(const char *path)
{
    struct stat st;
    struct cli_input *in = mr_calloc(1, sizeof *in);
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (in == NULL || fd < 0 || fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        fprintf(stderr, "millrace: %s: %s\n", path,
                in == NULL ? "out of memory"
                : fd >= 0  ? "is a directory"
                           : strerror(errno));
        if (fd >= 0)
            close(fd);
        mr_free(in);
        return NULL;
    }
    in->path = path;
    in->size = S_ISREG(st.st_mode) ? st.st_size : 0;
    in->file = gzdopen(fd, "r"); /* takes what is not compressed as it is */
    if (in->file == NULL) {
        close(fd);
        mr_free(in);
        return NULL;
    }
    gzbuffer(in->file, INPUT_BLOCK);
    return in;
}

static bool refill(struct cli_input *in)
{
    int n = gzread(in->file, in->block, INPUT_BLOCK), code = Z_OK;
    const char *why = gzerror(in->file, &code);
    in->at = 0;
    in->len = n > 0 ? (size_t)n : 0;
    in->ended = n < INPUT_BLOCK && n >= 0 && gzeof(in->file);
    if (n >= 0 && code == Z_OK)
        return true;
    fprintf(stderr, "millrace: %s: %s\n", in->path, code == Z_ERRNO ? strerror(errno) : why);
    return false;
}

/* Adds to the carried beginning what still fits into a line. */
static void carry(struct cli_input *in, struct mr_str part, bool *cut)
{
    size_t room = CLI_LINE_MAX - in->carry.len;
    *cut = *cut || part.len > room;
    mr_buf_add(&in->carry, part.ptr, part.len < room ? part.len : room);
}

int cli_input_line(struct cli_input *in, struct mr_str *line, bool *cut)
{
    in->carry.len = 0;
    *cut = false;
    for (;;) {
        struct mr_str rest = {in->block + in->at, in->len - in->at};
        size_t end = mr_str_find(rest, '\n', 0);
        if (end < rest.len) {
            struct mr_str part = mr_str_slice(rest, 0, end + 1);
            in->at += part.len;
            if (in->carry.len == 0 && part.len <= CLI_LINE_MAX) {
                *line = part;
                return 1;
            }
            carry(in, part, cut);
            *line = mr_buf_view(&in->carry);
            return mr_buf_ok(&in->carry) ? 1 : -1;
        }
        carry(in, rest, cut);
        in->at = in->len;
        if (in->ended) {
            *line = mr_buf_view(&in->carry);
            return !mr_buf_ok(&in->carry) ? -1 : line->len > 0 ? 1 : 0;
        }
        if (!refill(in))
            return -1;
    }
}

int64_t cli_input_done(struct cli_input *in)
{
    return gzoffset(in->file);
}

int64_t cli_input_size(const struct cli_input *in)
{
    return in->size;
}

void cli_input_close(struct cli_input *in)
{
    if (in == NULL)
        return;
    gzclose(in->file);
    mr_buf_release(&in->carry);
    mr_free(in);
}
