/* The strict check of request heads against bytes laid out as libmicrohttpd lays them out.
 *
 * lay_out does to a copy of the input what the library does in place: CR LF, bare LF, the first colon of a
 * line and the blanks around the target become NULs, and a header's value ends at its first NUL. What
 * http_head_tiles then accepts must be, byte for byte, a head in the strict grammar; only NUL LF for CR LF
 * cannot be told apart.
 */
#include "http/head.h"

#include <stdlib.h>

#define MAX_HEADERS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct layout {
    struct http_head head;
    struct mr_pair headers[MAX_HEADERS];
};

/* NUL-terminates the line at *at and moves past it; false when there is none. */
static bool next_line(char **at, char *end, char **line)
{
    char *lf = memchr(*at, '\n', (size_t)(end - *at));
    if (lf == NULL)
        return false;
    *line = *at;
    *at = lf + 1;
    *lf = '\0';
    if (lf > *line && lf[-1] == '\r')
        lf[-1] = '\0';
    return true;
}

static bool lay_out_request_line(char *line, struct http_head *head)
{
    char *target = strchr(line, ' '), *version = strrchr(line, ' ');
    if (target == NULL || version == target)
        return false;
    *target = '\0';
    while (*++target == ' ')
        ;
    *version = '\0';
    head->method = mr_str_of(line);
    head->target = mr_str_of(target);
    head->version = mr_str_of(version + 1);
    return true;
}

/* The end of the head, or NULL when the library itself would refuse it. */
static char *lay_out(char *bytes, size_t size, struct layout *out)
{
    char *at = bytes, *end = bytes + size, *line;
    if (!next_line(&at, end, &line) || !lay_out_request_line(line, &out->head))
        return NULL;
    out->head.headers = out->headers;
    while (next_line(&at, end, &line)) {
        if (*line == '\0')
            return at;
        char *colon = strchr(line, ':');
        if (colon == NULL || out->head.nheaders == MAX_HEADERS)
            return NULL;
        *colon++ = '\0';
        colon += strspn(colon, " \t");
        out->headers[out->head.nheaders++] = (struct mr_pair){mr_str_of(line), mr_str_of(colon)};
    }
    return NULL;
}

/* The bytes are what the parts say, in the strict grammar. */
static bool same_as_sent(const struct http_head *head, const char *sent, size_t len)
{
    struct mr_buf b = MR_BUF_INIT;
    mr_buf_printf(&b, MR_STR_FMT " " MR_STR_FMT " " MR_STR_FMT "\r\n", MR_STR_ARG(head->method),
                  MR_STR_ARG(head->target), MR_STR_ARG(head->version));
    for (size_t i = 0; i < head->nheaders; i++) {
        mr_buf_str(&b, head->headers[i].name);
        size_t blanks =
            (size_t)(head->headers[i].value.ptr - head->headers[i].name.ptr) - head->headers[i].name.len;
        mr_buf_char(&b, ':');
        mr_buf_add(&b, sent + b.len, blanks - 1);
        mr_buf_str(&b, head->headers[i].value);
        mr_buf_printf(&b, "\r\n");
    }
    mr_buf_printf(&b, "\r\n");
    bool same = b.len == len;
    bool nuls = memchr(sent, '\0', len) != NULL;
    for (size_t i = 0; same && i < len; i++) {
        bool line_end =
            (b.ptr[i] == '\r' || b.ptr[i] == '\n') && (sent[i] == '\0' || sent[i] == '\r' || sent[i] == '\n');
        same = b.ptr[i] == sent[i] || (nuls && line_end);
    }
    mr_buf_release(&b);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct layout lay = {0};
    char *bytes = malloc(size + 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    char *end = lay_out(bytes, size, &lay);
    if (end != NULL) {
        bool tiles = http_head_tiles(&lay.head, end);
        if (tiles && !same_as_sent(&lay.head, (const char *)data, (size_t)(end - bytes)))
            abort();
        const struct http_limits limits = {.max_body = 1000};
        struct http_framing framing;
        enum http_fault fault;
        struct mr_str path, query;
        http_head_split(lay.head.target, &path, &query);
        if (http_head_check(&lay.head, &limits, &framing, &fault)) {
            MR_ASSERT(!(framing.chunked && framing.has_length));
            MR_ASSERT(framing.length <= limits.max_body);
            MR_ASSERT(path.len > 0 && path.len + query.len <= lay.head.target.len + 1);
        }
        (void)http_head_find(lay.headers, lay.head.nheaders, MR_STR("Host"));
    }
    free(bytes);
    return 0;
}
