#include "auth/sigv4.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/text.h"

static int by_bytes(const void *a, const void *b)
{
    return mr_str_cmp(*(const struct mr_str *)a, *(const struct mr_str *)b);
}

/* RFC 9110 token, lower-cased into the arena; MR_STR_NULL for anything else or when memory is short. */
static struct mr_str lower_name(struct mr_str name, struct mr_arena *arena)
{
    static const char marks[] = "!#$%&'*+^`|";
    struct mr_str low = mr_arena_dup(arena, name);
    for (size_t i = 0; low.ptr != NULL && i < low.len; i++) {
        char *c = (char *)(uintptr_t)low.ptr + i;
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
        else if (!auth_uri_plain(*c) && memchr(marks, *c, sizeof marks - 1) == NULL)
            return MR_STR_NULL;
    }
    return low.len > 0 ? low : MR_STR_NULL;
}

/* "a;b;c": the names of all headers, sorted, each once. MR_EINVAL when a name is not one, when there are too
 * many, or when a name is missing that has to be signed. */
static int signed_header_list(const struct mr_pair *headers, size_t n, struct mr_arena *arena,
                              struct mr_str *list)
{
    if (n > AUTH_MAX_SIGNED_HEADERS)
        return MR_EINVAL;
    struct mr_str names[AUTH_MAX_SIGNED_HEADERS] = {{NULL, 0}};
    struct mr_buf buf = MR_BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        names[i] = lower_name(headers[i].name, arena);
        if (names[i].ptr == NULL)
            return arena->failed ? MR_ENOMEM : MR_EINVAL;
    }
    qsort(names, n, sizeof names[0], by_bytes);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && mr_str_eq(names[i], names[i - 1]))
            continue;
        if (i > 0)
            mr_buf_char(&buf, ';');
        mr_buf_str(&buf, names[i]);
    }
    *list = mr_arena_dup(arena, mr_buf_view(&buf));
    int status = !mr_buf_ok(&buf) || list->ptr == NULL ? MR_ENOMEM : MR_OK;
    mr_buf_release(&buf);
    if (status != MR_OK)
        return status;
    return auth_list_has(*list, MR_STR("host")) && !auth_list_has(*list, MR_STR("authorization")) ? MR_OK
                                                                                                  : MR_EINVAL;
}

static bool credentials_valid(const struct auth_credentials *cred)
{
    return auth_id_valid(cred->access_key_id) && cred->secret.len > 0 &&
           cred->secret.len <= AUTH_MAX_SECRET && auth_region_valid(cred->region) &&
           auth_region_valid(cred->service);
}

static int signature_of(const struct auth_credentials *cred, const struct auth_request *req,
                        struct mr_str list, const char *datetime, char out[static AUTH_HEX_LEN + 1])
{
    struct auth_scope scope = {{datetime, 8}, cred->region, cred->service};
    struct mr_buf canonical = MR_BUF_INIT, to_sign = MR_BUF_INIT;
    unsigned char key[AUTH_HASH_LEN] = {0}, mac[AUTH_HASH_LEN];
    char hash[AUTH_HEX_LEN + 1];
    int status = auth_sha256_hex(req->body, hash);
    if (status == MR_OK)
        status = auth_canonical_request(req, list, (struct mr_str){hash, AUTH_HEX_LEN}, &canonical);
    if (status == MR_OK)
        status = auth_string_to_sign(mr_str_of(datetime), &scope, mr_buf_view(&canonical), &to_sign);
    if (status == MR_OK)
        status = auth_signing_key(cred->secret, &scope, key);
    if (status == MR_OK)
        status = auth_hmac(key, sizeof key, mr_buf_view(&to_sign), mac);
    if (status == MR_OK)
        mr_hex_encode(mac, sizeof mac, out);
    OPENSSL_cleanse(key, sizeof key);
    mr_buf_release(&canonical);
    mr_buf_release(&to_sign);
    return status;
}

int auth_sign(const struct auth_credentials *cred, const struct auth_request *req, int64_t now_ns,
              struct mr_arena *arena, struct mr_pair out[static 4], size_t *nout)
{
    *nout = 0;
    if (!credentials_valid(cred) || req->nheaders > AUTH_MAX_SIGNED_HEADERS)
        return MR_EINVAL;
    char datetime[32], signature[AUTH_HEX_LEN + 1];
    mr_format_amz_date(now_ns, datetime);
    struct mr_pair *headers = MR_ARENA_ARRAY(arena, req->nheaders + 2, struct mr_pair);
    if (headers == NULL)
        return MR_ENOMEM;
    size_t n = req->nheaders, nnew = 0;
    struct mr_pair fresh[2];
    fresh[nnew++] = (struct mr_pair){MR_STR("x-amz-date"), mr_arena_dup(arena, mr_str_of(datetime))};
    if (cred->session_token.len > 0)
        fresh[nnew++] = (struct mr_pair){MR_STR("x-amz-security-token"), cred->session_token};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < nnew; k++)
            if (auth_name_is(fresh[k].name, req->headers[i].name))
                return MR_EINVAL;
    if (n > 0)
        memcpy(headers, req->headers, n * sizeof *headers);
    memcpy(headers + n, fresh, nnew * sizeof *headers);

    struct auth_request full = *req;
    full.headers = headers;
    full.nheaders = n + nnew;
    struct mr_str list;
    int status = signed_header_list(headers, full.nheaders, arena, &list);
    if (status == MR_OK)
        status = signature_of(cred, &full, list, datetime, signature);
    if (status != MR_OK)
        return status;
    struct mr_str value =
        mr_arena_printf(arena,
                        AUTH_ALGORITHM " Credential=" MR_STR_FMT "/%.8s/" MR_STR_FMT "/" MR_STR_FMT
                                       "/" AUTH_TERMINATOR ", SignedHeaders=" MR_STR_FMT ", Signature=%s",
                        MR_STR_ARG(cred->access_key_id), datetime, MR_STR_ARG(cred->region),
                        MR_STR_ARG(cred->service), MR_STR_ARG(list), signature);
    if (value.ptr == NULL || fresh[0].value.ptr == NULL)
        return MR_ENOMEM;
    out[(*nout)++] = (struct mr_pair){MR_STR("authorization"), value};
    for (size_t k = 0; k < nnew; k++)
        out[(*nout)++] = fresh[k];
    return MR_OK;
}

static void add_param(struct mr_buf *out, const char *name, struct mr_str value)
{
    mr_buf_printf(out, "%s%s=", out->len > 0 ? "&" : "", name);
    char *to = mr_buf_reserve(out, value.len * 3);
    if (to != NULL)
        out->len += auth_uri_encode(value, to);
}

int auth_presign(const struct auth_credentials *cred, const struct auth_request *req, int64_t now_ns,
                 unsigned expires_s, struct mr_arena *arena, struct mr_str *query)
{
    *query = MR_STR_NULL;
    if (!credentials_valid(cred) || expires_s < 1 || expires_s > AUTH_MAX_EXPIRES_S)
        return MR_EINVAL;
    char datetime[32], signature[AUTH_HEX_LEN + 1];
    mr_format_amz_date(now_ns, datetime);
    struct mr_str list;
    int status = signed_header_list(req->headers, req->nheaders, arena, &list);
    if (status != MR_OK)
        return status;
    struct mr_str credential = mr_arena_printf(
        arena, MR_STR_FMT "/%.8s/" MR_STR_FMT "/" MR_STR_FMT "/" AUTH_TERMINATOR,
        MR_STR_ARG(cred->access_key_id), datetime, MR_STR_ARG(cred->region), MR_STR_ARG(cred->service));
    struct mr_str expires = mr_arena_printf(arena, "%u", expires_s);
    if (credential.ptr == NULL || expires.ptr == NULL)
        return MR_ENOMEM;

    struct mr_buf buf = MR_BUF_INIT;
    mr_buf_str(&buf, req->query);
    add_param(&buf, "X-Amz-Algorithm", MR_STR(AUTH_ALGORITHM));
    add_param(&buf, "X-Amz-Credential", credential);
    add_param(&buf, "X-Amz-Date", mr_str_of(datetime));
    add_param(&buf, "X-Amz-Expires", expires);
    add_param(&buf, "X-Amz-SignedHeaders", list);
    if (cred->session_token.len > 0)
        add_param(&buf, "X-Amz-Security-Token", cred->session_token);
    struct auth_request full = *req;
    full.query = mr_buf_view(&buf);
    status = mr_buf_ok(&buf) ? signature_of(cred, &full, list, datetime, signature) : MR_ENOMEM;
    if (status == MR_OK) {
        add_param(&buf, "X-Amz-Signature", mr_str_of(signature));
        *query = mr_arena_dup(arena, mr_buf_view(&buf));
        if (!mr_buf_ok(&buf) || query->ptr == NULL)
            status = MR_ENOMEM;
    }
    mr_buf_release(&buf);
    return status;
}
