#include "auth/claim.h"
#include "auth/keys.h"

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/text.h"

#define INVALID "InvalidSignatureException"
#define INCOMPLETE "IncompleteSignatureException"
#define UNRECOGNIZED "UnrecognizedClientException"
#define MISMATCH                                                                                             \
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret "  \
    "Access "                                                                                                \
    "Key and signing method. Consult the service documentation for details."

/* One verification under way: the steps of auth_verify fill it from top to bottom. */
struct check {
    const struct auth_keys *keys;
    const struct auth_request *req;
    struct mr_str service;
    int64_t skew_ns, now_ns;
    struct mr_arena *arena;
    struct auth_failure *why;

    struct auth_claim claim;
    char datetime[32]; /* basic ISO form of the claimed date */
    struct mr_str id;
    struct auth_scope scope;
    struct mr_str content_hash; /* x-amz-content-sha256, MR_STR_NULL without one */

    const unsigned char *session_key;
    struct auth_session *session; /* the token is one of ours, and its issuer still a key */
    struct auth_pair *issuer;
    struct auth_pair borrowed; /* the session's pair */
};

static int check_date(struct check *c, int64_t *seconds)
{
    const struct auth_claim *claim = &c->claim;
    if (!auth_date_basic(claim->date, seconds) &&
        !(claim->date_is_header_date && auth_date_http(claim->date, seconds)))
        return auth_fail(c->why, INCOMPLETE,
                         "Date must be in ISO-8601 'basic format'. Got '" MR_STR_FMT
                         "'. See http://en.wikipedia.org/wiki/ISO_8601",
                         MR_STR_ARG(claim->date));
    mr_format_amz_date(*seconds * MR_NS_PER_S, c->datetime);
    return MR_OK;
}

/* `age` seconds as the texts write them. */
static const char *unit_of(int64_t age, int64_t *count)
{
    *count = age % 60 == 0 ? age / 60 : age;
    return age % 60 == 0 ? "min" : "sec";
}

/* A signature by header lives for the allowed distance of clocks, a presigned one for its X-Amz-Expires. */
static int check_window(struct check *c, int64_t signed_s)
{
    int64_t skew_s = c->skew_ns / MR_NS_PER_S, life_s = skew_s, count;
    if (c->claim.presigned &&
        (!mr_str_to_i64(c->claim.expires, &life_s) || life_s < 1 || life_s > AUTH_MAX_EXPIRES_S))
        return auth_fail(c->why, INCOMPLETE,
                         "X-Amz-Expires must be a number of seconds from 1 to %d. Got '" MR_STR_FMT "'.",
                         AUTH_MAX_EXPIRES_S, MR_STR_ARG(c->claim.expires));
    char now[32], edge[32];
    mr_format_amz_date(c->now_ns, now);
    int64_t signed_ns = signed_s * MR_NS_PER_S;
    if (signed_ns < c->now_ns - life_s * MR_NS_PER_S) {
        mr_format_amz_date(c->now_ns - life_s * MR_NS_PER_S, edge);
        const char *unit = unit_of(life_s, &count);
        return auth_fail(c->why, INVALID, "Signature expired: %s is now earlier than %s (%s - %lld %s.)",
                         c->datetime, edge, now, (long long)count, unit);
    }
    if (signed_ns > c->now_ns + skew_s * MR_NS_PER_S) {
        mr_format_amz_date(c->now_ns + skew_s * MR_NS_PER_S, edge);
        const char *unit = unit_of(skew_s, &count);
        return auth_fail(c->why, INVALID,
                         "Signature not yet current: %s is still later than %s (%s + %lld %s.)", c->datetime,
                         edge, now, (long long)count, unit);
    }
    return MR_OK;
}

/* Host, and every x-amz-* header present: X-Amz-Target above all decides what the request means. */
static int check_signed_headers(struct check *c)
{
    struct mr_str list = c->claim.signed_headers;
    if (!auth_list_has(list, MR_STR("host")))
        return auth_fail(c->why, INVALID, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
    size_t names = 1;
    for (size_t i = 0; i < list.len; i++)
        names += list.ptr[i] == ';';
    if (names > AUTH_MAX_SIGNED_HEADERS)
        return auth_fail(c->why, INVALID, "More than %d headers are signed.", AUTH_MAX_SIGNED_HEADERS);
    for (size_t i = 0; i < c->req->nheaders; i++) {
        struct mr_str name = c->req->headers[i].name;
        if (!mr_str_ieq(mr_str_slice(name, 0, 6), MR_STR("x-amz-")))
            continue;
        struct mr_str low = mr_arena_dup(c->arena, name);
        if (low.ptr == NULL)
            return MR_ENOMEM;
        char *p = (char *)(uintptr_t)low.ptr;
        for (size_t k = 0; k < low.len; k++)
            p[k] = p[k] >= 'A' && p[k] <= 'Z' ? (char)(p[k] + 32) : p[k];
        if (!auth_list_has(list, low))
            return auth_fail(c->why, INVALID,
                             "'" MR_STR_FMT "' must be a 'SignedHeader' in the AWS Authorization.",
                             MR_STR_ARG(name));
    }
    int status = auth_header_value(c->req, MR_STR("x-amz-content-sha256"), c->arena, &c->content_hash);
    if (status == MR_OK && (mr_str_eq(c->content_hash, MR_STR("UNSIGNED-PAYLOAD")) ||
                            mr_str_starts(c->content_hash, MR_STR("STREAMING-"))))
        return auth_fail(c->why, INVALID,
                         "The body must be signed: x-amz-content-sha256 may not be '" MR_STR_FMT "'.",
                         MR_STR_ARG(c->content_hash));
    return status;
}

/* keyid/date/region/service/term */
static int check_credential(struct check *c)
{
    struct mr_str text = c->claim.credential, parts[5];
    size_t n = 0;
    for (size_t from = 0; from <= text.len; n++) {
        size_t to = mr_str_find(text, '/', from);
        if (n < 5)
            parts[n] = mr_str_slice(text, from, to);
        from = to + 1;
    }
    if (n != 5)
        return auth_fail(
            c->why, INCOMPLETE,
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "
            "got '" MR_STR_FMT "'",
            MR_STR_ARG(text));
    c->id = parts[0];
    c->scope = (struct auth_scope){.date = parts[1], .region = parts[2], .service = parts[3]};
    bool region_ok = auth_region_valid(parts[2]), service_ok = mr_str_eq(parts[3], c->service);
    bool term_ok = mr_str_eq(parts[4], MR_STR(AUTH_TERMINATOR));
    bool date_ok = mr_str_eq(parts[1], (struct mr_str){c->datetime, 8});
    if (region_ok && service_ok && term_ok && date_ok)
        return MR_OK;
    struct mr_buf m = MR_BUF_INIT;
    if (!region_ok)
        mr_buf_printf(&m, "Credential should be scoped to a valid region, not '" MR_STR_FMT "'. ",
                      MR_STR_ARG(parts[2]));
    if (!service_ok)
        mr_buf_printf(&m, "Credential should be scoped to correct service: '" MR_STR_FMT "'. ",
                      MR_STR_ARG(c->service));
    if (!term_ok)
        mr_buf_printf(&m,
                      "Credential should be scoped with a valid terminator: '" AUTH_TERMINATOR
                      "', not '" MR_STR_FMT "'. ",
                      MR_STR_ARG(parts[4]));
    if (!date_ok)
        mr_buf_printf(&m,
                      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
                      "HTTP: '" MR_STR_FMT "' != '%.8s', from '%s'.",
                      MR_STR_ARG(parts[1]), c->datetime, c->datetime);
    int status =
        mr_buf_ok(&m) ? auth_fail(c->why, INVALID, MR_STR_FMT, MR_STR_ARG(mr_buf_view(&m))) : MR_ENOMEM;
    mr_buf_release(&m);
    return status;
}

/* The signature this request should carry. *complete is false when a signed header is missing or the body is
 * not the one x-amz-content-sha256 names; the work is done all the same. */
static int expected_signature(struct check *c, const unsigned char key[static AUTH_HASH_LEN],
                              unsigned char out[static AUTH_HASH_LEN], bool *complete)
{
    char hash[AUTH_HEX_LEN + 1];
    struct mr_buf canonical = MR_BUF_INIT, to_sign = MR_BUF_INIT;
    int status = auth_sha256_hex(c->req->body, hash);
    if (status != MR_OK)
        goto done;
    struct mr_str payload = {hash, AUTH_HEX_LEN};
    *complete = c->content_hash.ptr == NULL || mr_str_eq(c->content_hash, payload);
    status = auth_canonical_request(c->req, c->claim.signed_headers, payload, &canonical);
    if (status == MR_EINVAL)
        *complete = false;
    else if (status != MR_OK)
        goto done;
    status = auth_string_to_sign(mr_str_of(c->datetime), &c->scope, mr_buf_view(&canonical), &to_sign);
    if (status == MR_OK)
        status = auth_hmac(key, AUTH_HASH_LEN, mr_buf_view(&to_sign), out);
done:
    mr_buf_release(&canonical);
    mr_buf_release(&to_sign);
    return status;
}

/* 64 lower-case hex digits, no other spelling: one request has one valid signature. */
static bool signature_bytes(struct mr_str text, unsigned char out[static AUTH_HASH_LEN])
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')
            return false;
    return text.len == AUTH_HEX_LEN && mr_hex_decode(text, out);
}

/* A session stands on the pair that asked for it: gone, inactive, expired or given to another user, it ends.
 */
static int open_session(struct check *c, struct auth_pair **pair)
{
    struct mr_str secret;
    struct auth_session *session = MR_ARENA_NEW(c->arena, struct auth_session);
    if (session == NULL)
        return MR_ENOMEM;
    int status = auth_session_open(c->session_key, c->claim.token, c->arena, session, &secret);
    if (status != MR_OK)
        return status == MR_EDENIED ? MR_OK : status;
    struct auth_pair *issuer = auth_keys_find(c->keys, session->issuer);
    if (issuer->nobody || !mr_str_eq(issuer->user, session->user) || !mr_str_eq(session->id, c->id) ||
        (issuer->expires_ns != 0 && c->now_ns >= issuer->expires_ns))
        return MR_OK;
    c->session = session;
    c->issuer = issuer;
    auth_pair_borrow(&c->borrowed, session->id, secret);
    *pair = &c->borrowed;
    return MR_OK;
}

/* Unknown ids go all the way with the stand-in's secret, so that they cost what a wrong signature costs. */
static int check_signature(struct check *c, struct auth_pair **pair)
{
    unsigned char key[AUTH_HASH_LEN], expected[AUTH_HASH_LEN], given[AUTH_HASH_LEN] = {0};
    bool complete = false;
    *pair = auth_keys_find(c->keys, c->id);
    int status = MR_OK;
    if ((*pair)->nobody && c->session_key != NULL && c->claim.token.ptr != NULL)
        status = open_session(c, pair);
    if (status == MR_OK)
        status = auth_pair_key(*pair, &c->scope, key);
    if (status != MR_OK)
        return status;
    status = expected_signature(c, key, expected, &complete);
    if (status != MR_OK)
        goto done;
    bool well_formed = signature_bytes(c->claim.signature, given);
    bool equal = CRYPTO_memcmp(expected, given, AUTH_HASH_LEN) == 0;
    bool right = well_formed && equal && complete && !(*pair)->nobody;
    if (c->session == NULL && (right || (*pair)->nobody))
        auth_pair_remember(*pair, &c->scope, key);
    if ((*pair)->nobody)
        status = auth_fail(c->why, UNRECOGNIZED, "The security token included in the request is invalid.");
    else if (!right)
        status = auth_fail(c->why, INVALID, MISMATCH);
done:
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(expected, sizeof expected);
    return status;
}

static int check_token(struct check *c, const struct auth_pair *pair)
{
    struct mr_str sent = c->claim.token;
    if (c->session != NULL)
        return c->now_ns < c->session->expires_ns
                   ? MR_OK
                   : auth_fail(c->why, "ExpiredTokenException",
                               "The security token included in the request is expired");
    bool right = sent.ptr == NULL ? pair->token.ptr == NULL
                                  : pair->token.ptr != NULL && sent.len == pair->token.len &&
                                        CRYPTO_memcmp(sent.ptr, pair->token.ptr, sent.len) == 0;
    if (!right)
        return auth_fail(c->why, UNRECOGNIZED, "The security token included in the request is invalid");
    if (pair->expires_ns != 0 && c->now_ns >= pair->expires_ns)
        return auth_fail(c->why, "ExpiredTokenException",
                         "The security token included in the request is expired");
    return MR_OK;
}

static void fill_identity(const struct check *c, const struct auth_pair *pair, struct auth_identity *who)
{
    const struct auth_pair *owner = c->session != NULL ? c->issuer : pair;
    bool role = c->session != NULL && c->session->role.len > 0;
    *who = (struct auth_identity){.access_key_id = pair->id,
                                  .region = c->scope.region,
                                  .user = owner->user,
                                  .root = owner->root && !role,
                                  .presigned = c->claim.presigned,
                                  .session = c->session};
}

int auth_verify(const struct auth_keys *keys, const struct auth_options *options,
                const struct auth_request *req, int64_t now_ns, struct mr_arena *arena,
                struct auth_identity *who, struct auth_failure *why)
{
    struct check c = {
        .keys = keys,
        .req = req,
        .service = mr_str_of(options != NULL && options->service != NULL ? options->service : AUTH_SERVICE),
        .skew_ns = options != NULL && options->skew_ns > 0 ? options->skew_ns : 15 * 60 * MR_NS_PER_S,
        .now_ns = now_ns,
        .arena = arena,
        .why = why,
        .session_key = options != NULL ? options->session_key : NULL,
    };
    int64_t signed_s = 0;
    struct auth_pair *pair = NULL;
    int status = auth_claim_read(req, arena, &c.claim, why);
    if (status == MR_OK)
        status = check_date(&c, &signed_s);
    if (status == MR_OK)
        status = check_window(&c, signed_s);
    if (status == MR_OK)
        status = check_signed_headers(&c);
    if (status == MR_OK && !mr_str_eq(c.claim.algorithm, MR_STR(AUTH_ALGORITHM)))
        status =
            auth_fail(why, INCOMPLETE,
                      "Unsupported AWS 'algorithm': '" MR_STR_FMT "' (only " AUTH_ALGORITHM " for now). ",
                      MR_STR_ARG(c.claim.algorithm));
    if (status == MR_OK)
        status = check_credential(&c);
    if (status == MR_OK)
        status = check_signature(&c, &pair);
    if (status == MR_OK)
        status = check_token(&c, pair);
    if (status == MR_OK)
        fill_identity(&c, pair, who);
    return status;
}
