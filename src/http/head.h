/* http/head.h - whether the head of a request may be believed. Pure functions over borrowed bytes;
 * thread-safe.
 *
 * libmicrohttpd 0.9.75 parses in place and leniently: it joins folded lines, ends a line at a bare LF, cuts a
 * value at a NUL, keeps the first of two Content-Lengths and ignores one beside a Transfer-Encoding. Each of
 * these lets two parties disagree about where a request ends. The library has no switch for them, but it
 * leaves evidence: it turns CR, LF, the colon after a name and the blanks around the target into NULs and
 * moves nothing. So a head is well formed exactly when its parts, put back together, tile it without gap:
 * http_head_tiles. What the parts say is then judged by http_head_check.
 *
 * Two forms leave no evidence: NUL LF in place of CR LF, and a NUL after the last value made up for by a bare
 * LF as the empty line. Both keep every name, every value and the length of the head, so nothing can be
 * smuggled with them.
 */
#ifndef MR_HTTP_HEAD_H
#define MR_HTTP_HEAD_H

#include "http/http.h"

#define HTTP_MAX_TARGET ((size_t)16384)

struct http_head {
    struct mr_str method, target, version;
    const struct mr_pair *headers; /* values without trailing blanks */
    size_t nheaders;
};

/* How the body is delimited; all false and 0 when there is none. */
struct http_framing {
    bool chunked;
    bool has_length;
    uint64_t length; /* bytes, when has_length */
};

struct http_limits {
    size_t max_body;
};

/* True when method, target, version and headers, as the library left them, account for every byte of
 * [method.ptr, end): one blank around the target, CR LF after each line, a colon after each name, nothing
 * folded. All views must point into that range or the answer is false. Header values with their trailing
 * blanks. */
bool http_head_tiles(const struct http_head *head, const char *end);

/* Judges method, target, version, names, values, Host, framing and Content-Encoding (RFC 9112 sections 3, 5
 * and 6, RFC 9110 section 5). On false, *fault says what to answer. */
bool http_head_check(const struct http_head *head, const struct http_limits *limits,
                     struct http_framing *framing, enum http_fault *fault);

/* Path and query of a valid target; an absolute-form target loses its scheme and authority. */
void http_head_split(struct mr_str target, struct mr_str *path, struct mr_str *query);

/* First header of that name, or MR_STR_NULL. */
struct mr_str http_head_find(const struct mr_pair *headers, size_t count, struct mr_str name);

#endif
