/* Roles: AssumeRole and AssumeRoleWithWebIdentity of the Security Token Service, by its query API. */
#include "client/credentials.h"

#include "auth/sigv4.h"
#include "client/url.h"

#define STS_VERSION "2011-06-15"
#define STS_TIMEOUT_MS 15000
#define STS_CONNECT_MS 5000
#define STS_TOKEN_MAX ((size_t)20000) /* of a web identity: what the service takes */
#define STS_FORM "application/x-www-form-urlencoded; charset=utf-8"

/* ---- the answer ---- */

/* What stands between <name> and </name>, unescaped; ptr NULL when there is none. */
static struct mr_str element(struct mr_str xml, const char *name, struct mr_arena *arena)
{
    static const struct {
        struct mr_str text;
        char c;
    } entities[] = {{{"&amp;", 5}, '&'},
                    {{"&lt;", 4}, '<'},
                    {{"&gt;", 4}, '>'},
                    {{"&quot;", 6}, '"'},
                    {{"&apos;", 6}, '\''}};
    struct mr_str open = mr_arena_printf(arena, "<%s>", name), close = mr_arena_printf(arena, "</%s>", name);
    if (open.ptr == NULL || close.ptr == NULL)
        return MR_STR_NULL;
    const char *from = memmem(xml.ptr, xml.len, open.ptr, open.len);
    if (from == NULL)
        return MR_STR_NULL;
    from += open.len;
    const char *to = memmem(from, (size_t)(xml.ptr + xml.len - from), close.ptr, close.len);
    char *out = to != NULL ? mr_arena_alloc(arena, (size_t)(to - from) + 1) : NULL;
    size_t n = 0;
    if (out == NULL)
        return MR_STR_NULL;
    while (from < to) {
        struct mr_str rest = {from, (size_t)(to - from)};
        size_t skip = 1;
        out[n] = *from;
        for (size_t i = 0; i < MR_ARRAY_LEN(entities); i++)
            if (mr_str_starts(rest, entities[i].text)) {
                out[n] = entities[i].c;
                skip = entities[i].text.len;
            }
        n++;
        from += skip;
    }
    out[n] = '\0';
    return (struct mr_str){out, n};
}

int client_credentials_from_xml(int status, struct mr_str body, struct credential_set *set,
                                struct mr_error *err)
{
    set->arena.limit = 1 << 20;
    if (status != 200) {
        struct mr_arena tmp = {.limit = 1 << 20};
        struct mr_str code = element(body, "Code", &tmp), why = element(body, "Message", &tmp);
        if (why.ptr == NULL)
            why = MR_STR("no reason given");
        int rc =
            code.ptr != NULL
                ? mr_error_set(err, MR_EINVAL, "The role was refused: " MR_STR_FMT ": " MR_STR_FMT,
                               MR_STR_ARG(mr_str_slice(code, 0, 100)), MR_STR_ARG(mr_str_slice(why, 0, 300)))
                : mr_error_set(err, MR_EIO, "The Security Token Service answered %d.", status);
        mr_arena_release(&tmp);
        return rc;
    }
    set->id = element(body, "AccessKeyId", &set->arena);
    set->secret = element(body, "SecretAccessKey", &set->arena);
    set->token = element(body, "SessionToken", &set->arena);
    struct mr_str expiry = element(body, "Expiration", &set->arena);
    if (set->arena.failed && body.len < 1 << 18)
        return MR_ENOMEM;
    if (set->id.len == 0 || set->secret.len == 0 || set->token.len == 0 ||
        !client_credentials_expiry(expiry.ptr != NULL ? expiry : MR_STR(""), &set->expires_ns))
        return mr_error_set(err, MR_EINVAL, "The Security Token Service sent no credentials.");
    return MR_OK;
}

/* ---- the request ---- */

static void parameter(struct mr_buf *form, const char *name, struct mr_str value)
{
    if (value.ptr == NULL)
        return;
    mr_buf_printf(form, "&%s=", name);
    char *to = mr_buf_reserve(form, 3 * value.len);
    if (to != NULL)
        form->len += auth_uri_encode(value, to);
}

static int read_token(const struct client_world *world, const char *path, struct mr_buf *token,
                      struct mr_error *err)
{
    struct mr_error why = MR_ERROR_INIT;
    int rc = mr_io_read_file(world->io, path, STS_TOKEN_MAX, token, &why);
    while (token->len > 0 && (token->ptr[token->len - 1] == '\n' || token->ptr[token->len - 1] == '\r'))
        token->len--;
    return rc == MR_OK || rc == MR_ENOMEM ? rc : mr_error_set(err, MR_EINVAL, "%s", why.text);
}

static int make_form(const struct credentials *c, const struct credential_role *role, struct mr_buf *form,
                     struct mr_error *err)
{
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_buf token = MR_BUF_INIT;
    bool web = role->token_file.ptr != NULL;
    struct mr_str session = role->session;
    int rc = MR_OK;
    if (session.ptr == NULL)
        session =
            mr_arena_printf(&tmp, "millrace-%lld", (long long)(mr_clock_wall(c->world->clock) / MR_NS_PER_S));
    mr_buf_printf(form, "Action=%s&Version=" STS_VERSION, web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    parameter(form, "RoleArn", role->arn);
    parameter(form, "RoleSessionName", session);
    parameter(form, "DurationSeconds", role->seconds);
    if (!web) {
        parameter(form, "ExternalId", role->external_id);
    } else {
        struct mr_str path = mr_arena_dup(&tmp, role->token_file);
        rc = path.ptr != NULL ? read_token(c->world, path.ptr, &token, err) : MR_ENOMEM;
        parameter(form, "WebIdentityToken", mr_buf_view(&token));
    }
    bool memory = tmp.failed || !mr_buf_ok(form);
    if (token.ptr != NULL)
        explicit_bzero(token.ptr, token.cap);
    mr_buf_release(&token);
    mr_arena_release(&tmp);
    return rc == MR_OK && memory ? MR_ENOMEM : rc;
}

/* AWS_ENDPOINT_URL names the server of Timestream, so it does not count here. */
static int find_service(const struct credentials *c, struct mr_arena *tmp, struct client_url *url,
                        struct mr_error *err)
{
    const char *own = client_env(c->world, "AWS_ENDPOINT_URL_STS");
    struct mr_str text = own != NULL ? mr_str_of(own) : client_profiles_service_endpoint(c->profiles, "sts");
    const char *domain = mr_str_starts(c->region, MR_STR("cn-")) ? "amazonaws.com.cn" : "amazonaws.com";
    if (text.ptr == NULL)
        text = mr_arena_printf(tmp, "https://sts." MR_STR_FMT ".%s", MR_STR_ARG(c->region), domain);
    int rc = text.ptr != NULL ? client_url_parse(text, tmp, url) : MR_ENOMEM;
    return rc == MR_EINVAL ? mr_error_set(err, MR_EINVAL, "AWS_ENDPOINT_URL_STS is no endpoint.") : rc;
}

/* headers has room for six. */
static int sign(const struct credentials *c, const struct credential_set *who, const struct client_url *url,
                struct mr_str form, struct mr_arena *tmp, struct mr_pair *headers, size_t *n,
                struct mr_error *err)
{
    struct auth_credentials keys = {who->id, who->secret, who->token, c->region, MR_STR("sts")};
    struct auth_request q = {
        .method = MR_STR("POST"), .path = url->path, .headers = headers, .nheaders = *n, .body = form};
    size_t more = 0;
    int rc = auth_sign(&keys, &q, mr_clock_wall(c->world->clock), tmp, headers + *n, &more);
    *n += more;
    return rc == MR_OK || rc == MR_ENOMEM
               ? rc
               : mr_error_set(err, rc, "The keys that are to assume the role cannot sign a request.");
}

int client_credentials_assume(const struct credentials *c, const struct credential_role *role,
                              struct credential_set *set, struct mr_error *err)
{
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_buf form = MR_BUF_INIT;
    struct client_response r = {.status = 0};
    struct client_url url = {.tls = false};
    struct mr_error why = MR_ERROR_INIT;
    size_t n = 2;
    int rc = make_form(c, role, &form, err);
    if (rc == MR_OK)
        rc = find_service(c, &tmp, &url, err);
    struct mr_pair headers[6] = {{MR_STR("Host"), url.host}, {MR_STR("Content-Type"), MR_STR(STS_FORM)}};
    if (rc == MR_OK && role->token_file.ptr == NULL)
        rc = sign(c, role->who, &url, mr_buf_view(&form), &tmp, headers, &n, err);
    if (rc == MR_OK) {
        struct client_request q = {.method = "POST",
                                   .url = url.text.ptr,
                                   .headers = headers,
                                   .nheaders = n,
                                   .body = mr_buf_view(&form),
                                   .connect_timeout_ms = STS_CONNECT_MS,
                                   .timeout_ms = STS_TIMEOUT_MS};
        rc = client_credentials_fetch(c->world, &q, &r, &why);
        if (r.status != 0 && (rc == MR_OK || rc == MR_EIO)) /* a refusal says why */
            rc = client_credentials_from_xml(r.status, mr_buf_view(&r.body), set, err);
        else if (rc != MR_ENOMEM)
            mr_error_set(err, rc, "%s", why.text);
    }
    if (r.body.ptr != NULL)
        explicit_bzero(r.body.ptr, r.body.cap);
    mr_buf_release(&r.body);
    mr_buf_release(&form);
    mr_arena_release(&tmp);
    return rc;
}
