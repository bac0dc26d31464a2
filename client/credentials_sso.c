/* IAM Identity Center (SSO): the token that `aws sso login` left is traded for credentials of a role. */
#include "client/credentials.h"

#include <openssl/evp.h>

#include "auth/sigv4.h"
#include "base/text.h"
#include "client/url.h"
#include "json/json.h"

#define SSO_TOKEN_MAX ((size_t)64 << 10)
#define SSO_TIMEOUT_MS 15000
#define SSO_CONNECT_MS 5000
#define SHA1_BYTES 20

/* The settings of a profile: either its own, or a [sso-session ...] section's. */
struct sso {
    struct mr_str start_url, region, account, role;
    struct mr_str key; /* the token's file is named by its SHA-1 */
};

static struct mr_str text_of(struct json_value object, struct mr_str name)
{
    struct json_value v;
    return json_type(object) == JSON_OBJECT && json_get(object, name, &v) && json_type(v) == JSON_STRING
               ? json_text(v)
               : MR_STR_NULL;
}

static int read_settings(const struct credentials *c, struct mr_str profile, struct mr_arena *tmp,
                         struct sso *sso, struct mr_error *err)
{
    struct mr_str session = client_profiles_get_of(c->profiles, profile, "sso_session");
    sso->start_url = client_profiles_get_of(c->profiles, profile, "sso_start_url");
    sso->region = client_profiles_get_of(c->profiles, profile, "sso_region");
    sso->account = client_profiles_get_of(c->profiles, profile, "sso_account_id");
    sso->role = client_profiles_get_of(c->profiles, profile, "sso_role_name");
    sso->key = sso->start_url;
    if (session.ptr == NULL && sso->start_url.ptr == NULL)
        return MR_ENOENT;
    if (session.ptr != NULL) {
        struct mr_str section = mr_arena_printf(tmp, "sso-session " MR_STR_FMT, MR_STR_ARG(session));
        if (section.ptr == NULL)
            return MR_ENOMEM;
        sso->start_url = client_ini_get(&c->profiles->config, section, MR_STR("sso_start_url"));
        sso->region = client_ini_get(&c->profiles->config, section, MR_STR("sso_region"));
        sso->key = session;
    }
    if (sso->start_url.len > 0 && auth_region_valid(sso->region) && sso->account.len > 0 && sso->role.len > 0)
        return MR_OK;
    return mr_error_set(err, MR_EINVAL,
                        "The profile " MR_STR_FMT " needs sso_start_url, sso_region, sso_account_id and "
                        "sso_role_name.",
                        MR_STR_ARG(profile));
}

/* ~/.aws/sso/cache/<sha1>.json */
static struct mr_str token_path(const struct credentials *c, const struct sso *sso, struct mr_arena *tmp)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * SHA1_BYTES + 1] = "";
    const char *home = client_env(c->world, "HOME");
    if (EVP_Digest(sso->key.ptr, sso->key.len, hash, NULL, EVP_sha1(), NULL) != 1)
        return MR_STR_NULL;
    mr_hex_encode(hash, SHA1_BYTES, hex);
    return mr_arena_printf(tmp, "%s/.aws/sso/cache/%.*s.json", home != NULL ? home : "", 2 * SHA1_BYTES, hex);
}

static int read_token(const struct credentials *c, const struct sso *sso, struct mr_arena *tmp,
                      struct mr_str *token, struct mr_error *err)
{
    struct mr_buf text = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    struct json_doc doc;
    int64_t until = 0;
    struct mr_str path = token_path(c, sso, tmp);
    int rc =
        path.ptr != NULL ? mr_io_read_file(c->world->io, path.ptr, SSO_TOKEN_MAX, &text, &why) : MR_ENOMEM;
    if (rc == MR_OK)
        rc = json_parse(mr_buf_view(&text), tmp, &doc, &why);
    if (rc == MR_OK) {
        *token = text_of(json_root(&doc), MR_STR("accessToken"));
        struct mr_str expires = text_of(json_root(&doc), MR_STR("expiresAt"));
        if (token->len == 0 || expires.ptr == NULL || !client_credentials_expiry(expires, &until) ||
            until <= mr_clock_wall(c->world->clock))
            rc = MR_EINVAL;
    }
    for (size_t i = 0; rc == MR_OK && i < token->len; i++)
        if (token->ptr[i] <= 0x20 || token->ptr[i] >= 0x7f)
            rc = MR_EINVAL;
    if (text.ptr != NULL)
        explicit_bzero(text.ptr, text.cap);
    mr_buf_release(&text);
    if (rc == MR_OK || rc == MR_ENOMEM)
        return rc;
    return mr_error_set(err, MR_EINVAL,
                        "There is no valid SSO token for " MR_STR_FMT ": `aws sso login` makes one.",
                        MR_STR_ARG(sso->key));
}

static int read_answer(struct mr_str body, struct credential_set *set, struct mr_error *err)
{
    struct json_doc doc;
    struct json_value keys, until;
    struct mr_error why = MR_ERROR_INIT;
    int64_t ms = 0;
    set->arena.limit = 1 << 20;
    int rc = json_parse(body, &set->arena, &doc, &why);
    if (rc == MR_ENOMEM)
        return rc;
    if (rc != MR_OK || json_type(json_root(&doc)) != JSON_OBJECT ||
        !json_get(json_root(&doc), MR_STR("roleCredentials"), &keys))
        return mr_error_set(err, MR_EINVAL, "SSO sent no credentials.");
    set->id = text_of(keys, MR_STR("accessKeyId"));
    set->secret = text_of(keys, MR_STR("secretAccessKey"));
    set->token = text_of(keys, MR_STR("sessionToken"));
    if (set->id.len == 0 || set->secret.len == 0 || set->token.len == 0 ||
        !json_get(keys, MR_STR("expiration"), &until) || !json_i64(until, &ms) ||
        __builtin_mul_overflow(ms, (int64_t)1000000, &set->expires_ns))
        return mr_error_set(err, MR_EINVAL, "SSO sent credentials that lack a member.");
    return MR_OK;
}

/* Names become part of a query string. */
static struct mr_str encoded(struct mr_str text, struct mr_arena *tmp)
{
    char *out = mr_arena_alloc(tmp, 3 * text.len + 1);
    return out != NULL ? (struct mr_str){out, auth_uri_encode(text, out)} : MR_STR_NULL;
}

static int trade(const struct credentials *c, const struct sso *sso, struct mr_str token,
                 struct mr_arena *tmp, struct credential_set *set, struct mr_error *err)
{
    const char *own = client_env(c->world, "AWS_ENDPOINT_URL_SSO");
    struct client_response r = {.status = 0};
    struct mr_str base = own != NULL ? mr_str_of(own)
                                     : mr_arena_printf(tmp, "https://portal.sso." MR_STR_FMT ".amazonaws.com",
                                                       MR_STR_ARG(sso->region));
    while (base.len > 0 && base.ptr[base.len - 1] == '/')
        base.len--;
    struct mr_str role = encoded(sso->role, tmp), account = encoded(sso->account, tmp);
    struct mr_str url = mr_arena_printf(
        tmp, MR_STR_FMT "/federation/credentials?role_name=" MR_STR_FMT "&account_id=" MR_STR_FMT,
        MR_STR_ARG(base), MR_STR_ARG(role), MR_STR_ARG(account));
    struct mr_pair header[] = {{MR_STR("x-amz-sso_bearer_token"), token}};
    struct client_request q = {.method = "GET",
                               .url = url.ptr,
                               .headers = header,
                               .nheaders = 1,
                               .connect_timeout_ms = SSO_CONNECT_MS,
                               .timeout_ms = SSO_TIMEOUT_MS};
    int rc = tmp->failed ? MR_ENOMEM : client_credentials_fetch(c->world, &q, &r, err);
    if (rc == MR_OK)
        rc = read_answer(mr_buf_view(&r.body), set, err);
    if (r.body.ptr != NULL)
        explicit_bzero(r.body.ptr, r.body.cap);
    mr_buf_release(&r.body);
    return rc;
}

int client_credentials_from_sso(const struct credentials *c, struct mr_str profile,
                                struct credential_set *set, struct mr_error *err)
{
    struct mr_arena tmp = MR_ARENA_INIT;
    struct sso sso;
    struct mr_str token = MR_STR_NULL;
    int rc = read_settings(c, profile, &tmp, &sso, err);
    if (rc == MR_OK)
        rc = read_token(c, &sso, &tmp, &token, err);
    if (rc == MR_OK)
        rc = trade(c, &sso, token, &tmp, set, err);
    if (token.ptr != NULL)
        explicit_bzero((char *)(uintptr_t)token.ptr, token.len);
    mr_arena_release(&tmp);
    return rc;
}
