/* fuzz/sigv4.h - what the two SigV4 fuzzers share: a request from bytes, and the properties both check.
 *
 * A request is "METHOD path?query\nName: value\n...\n\nbody", split with no rule but the line breaks.
 */
#ifndef MR_FUZZ_SIGV4_H
#define MR_FUZZ_SIGV4_H

#include "auth/auth.h"

#define FUZZ_NOW (INT64_C(1767323045) * 1000000000) /* 2026-01-02T03:04:05Z */

enum { FUZZ_MAX_HEADERS = 110, FUZZ_ROOM = 4 }; /* above what may be signed, and room for auth_sign's own */

struct fuzz_request {
    struct auth_request req;
    struct mr_pair headers[FUZZ_MAX_HEADERS + FUZZ_ROOM];
};

static inline void fuzz_request_read(struct fuzz_request *r, const uint8_t *data, size_t size)
{
    struct mr_str s = {(const char *)data, size};
    size_t end = mr_str_find(s, '\n', 0);
    struct mr_str line = mr_str_slice(s, 0, end);
    size_t blank = mr_str_find(line, ' ', 0), mark = mr_str_find(line, '?', blank);
    r->req = (struct auth_request){.method = mr_str_slice(line, 0, blank),
                                   .path = mr_str_slice(line, blank + 1, mark),
                                   .query = mr_str_slice(line, mark + 1, line.len),
                                   .headers = r->headers};
    size_t at = end + 1;
    while (at < s.len && s.ptr[at] != '\n' && r->req.nheaders < FUZZ_MAX_HEADERS) {
        end = mr_str_find(s, '\n', at);
        size_t colon = mr_str_find(s, ':', at);
        if (colon > end)
            colon = end;
        r->headers[r->req.nheaders++] =
            (struct mr_pair){mr_str_slice(s, at, colon), mr_str_slice(s, colon + 1, end)};
        at = end + 1;
    }
    r->req.body = mr_str_slice(s, at + 1, s.len);
}

static inline struct auth_credentials fuzz_credentials(void)
{
    return (struct auth_credentials){.access_key_id = MR_STR("AKIDEXAMPLE"),
                                     .secret = MR_STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                                     .region = MR_STR("us-east-1"),
                                     .service = MR_STR("timestream")};
}

/* One set for the whole run, so that its memory of signing keys is exercised too. */
static inline const struct auth_keys *fuzz_keys(void)
{
    static struct auth_keys *keys;
    if (keys == NULL) {
        struct auth_credentials cred = fuzz_credentials();
        MR_ASSERT(auth_keys_new(&keys) == MR_OK);
        MR_ASSERT(auth_keys_add(keys, MR_STR("root"), cred.access_key_id, cred.secret, MR_STR_NULL, 0, true,
                                NULL) == MR_OK);
        MR_ASSERT(auth_keys_add(keys, MR_STR("app"), MR_STR("ASIATEMPORARY"),
                                MR_STR("temporary+secret/of+the+tests"), MR_STR("Token/with+marks=="), 0,
                                false, NULL) == MR_OK);
    }
    return keys;
}

/* Verifies, and holds every refusal to its promise: a type, and a text of printable characters. */
static inline int fuzz_verify(const struct auth_request *req)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct auth_identity who;
    struct auth_failure why;
    arena.limit = 1 << 20;
    int status = auth_verify(fuzz_keys(), NULL, req, FUZZ_NOW, &arena, &who, &why);
    if (status == MR_OK) {
        MR_ASSERT(who.user.len > 0 && who.region.len > 0);
    } else if (status == MR_EDENIED) {
        MR_ASSERT(strlen(why.type) > 0 && strlen(why.message) > 0);
        for (const char *p = why.message; *p != '\0'; p++)
            MR_ASSERT(*p >= ' ' && *p <= '~');
    } else {
        MR_ASSERT(status == MR_ENOMEM);
    }
    mr_arena_release(&arena);
    return status;
}

#endif
