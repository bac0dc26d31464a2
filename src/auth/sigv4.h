/* auth/sigv4.h - the steps of Signature Version 4, for the files of this room and its golden tests.
 *
 * Rules: write-api reference 2.1 and 2.2. Everything here is pure: no clock, no key set, no state but the
 * digest implementations, which are fetched from the library once. Functions that return int give MR_OK,
 * MR_ENOMEM, or MR_EINTERNAL when the crypto library refuses to work at all. Thread-safe.
 */
#ifndef MR_AUTH_SIGV4_H
#define MR_AUTH_SIGV4_H

#include "auth/auth.h"

#define AUTH_ALGORITHM "AWS4-HMAC-SHA256"
#define AUTH_TERMINATOR "aws4_request"
#define AUTH_SERVICE "timestream"

enum {
    AUTH_HASH_LEN = 32,            /* bytes of a SHA-256 */
    AUTH_HEX_LEN = 64,             /* the same in hexadecimal */
    AUTH_MAX_AUTHORIZATION = 8192, /* bytes of an Authorization header */
    AUTH_MAX_SIGNED_HEADERS = 100,
    AUTH_MAX_QUERY_PARAMS = 1000,
    AUTH_MAX_ID = 128, /* bytes of an access key id */
    AUTH_MAX_SECRET = 256,
    AUTH_MAX_REGION = 64,
    AUTH_MAX_EXPIRES_S = 604800,
};

/* What a signing key is good for. */
struct auth_scope {
    struct mr_str date; /* YYYYMMDD */
    struct mr_str region, service;
};

/* crypto.c */
int auth_sha256(struct mr_str bytes, unsigned char out[static AUTH_HASH_LEN]);
int auth_sha256_hex(struct mr_str bytes, char out[static AUTH_HEX_LEN + 1]);
int auth_hmac(const void *key, size_t key_len, struct mr_str bytes, unsigned char out[static AUTH_HASH_LEN]);
/* The chain "AWS4" + secret, date, region, service, terminator. MR_EINVAL for a secret above AUTH_MAX_SECRET.
 */
int auth_signing_key(struct mr_str secret, const struct auth_scope *scope,
                     unsigned char out[static AUTH_HASH_LEN]);

/* canonical.c */
int auth_string_to_sign(struct mr_str datetime, const struct auth_scope *scope, struct mr_str canonical,
                        struct mr_buf *out);
/* The joined, trimmed value of a header as it is signed; MR_STR_NULL when absent. `name` is lower-case. */
int auth_header_value(const struct auth_request *req, struct mr_str name, struct mr_arena *arena,
                      struct mr_str *value);
/* True when `list` ("a;b;c") names `name`, both lower-case. */
bool auth_list_has(struct mr_str list, struct mr_str name);
/* Equality of a lower-case name with one in any case. */
bool auth_name_is(struct mr_str lower, struct mr_str name);

/* uri.c: RFC 3986 percent-encoding; only A-Z a-z 0-9 - _ . ~ stand for themselves. */
size_t auth_uri_encode(struct mr_str raw, char *to);         /* room for 3 * raw.len; returns bytes written */
struct mr_str auth_uri_decode(struct mr_str text, char *to); /* room for text.len; a stray '%' is itself */
bool auth_uri_plain(char c);                                 /* one of the unreserved characters */

/* date.c: seconds since the epoch; years 1970 to 2261, what nanoseconds can hold. */
bool auth_date_basic(struct mr_str text, int64_t *seconds); /* 20260102T030405Z */
bool auth_date_http(struct mr_str text, int64_t *seconds);  /* Fri, 02 Jan 2026 03:04:05 GMT (RFC 1123) */

/* failure.c: fills *why (control characters and non-ASCII bytes of the text become '?') and returns
 * MR_EDENIED. */
int auth_fail(struct auth_failure *why, const char *type, const char *fmt, ...) MR_PRINTF(3, 4);

/* Whether the text could be an access key id, a region. */
bool auth_id_valid(struct mr_str id);
bool auth_region_valid(struct mr_str region);

#endif
