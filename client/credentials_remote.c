/* Credentials from next door: the container agent and the instance metadata service. */
#include "client/credentials.h"

#include <stdio.h>

#include "client/url.h"
#include "json/json.h"

#define REMOTE_TIMEOUT_MS 2000
#define REMOTE_CONNECT_MS 1000
#define REMOTE_TOKEN_MAX 16384
#define RELATIVE_HOST "http://169.254.170.2"
#define INSTANCE_HOST "http://169.254.169.254"
#define INSTANCE_PATH "/latest/meta-data/iam/security-credentials/"

/* Behind the seconds: a fraction, then Z or +HH:MM; the offset in seconds. */
static bool parse_zone(struct mr_str text, int64_t *offset)
{
    size_t at = 0;
    uint64_t hours, minutes;
    if (text.len > 0 && text.ptr[0] == '.')
        for (at = 1; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
            ;
    struct mr_str zone = mr_str_slice(text, at, text.len);
    *offset = 0;
    if (mr_str_eq(zone, MR_STR("Z")))
        return true;
    if (zone.len != 6 || (zone.ptr[0] != '+' && zone.ptr[0] != '-') || zone.ptr[3] != ':' ||
        !mr_str_to_u64(mr_str_slice(zone, 1, 3), &hours) ||
        !mr_str_to_u64(mr_str_slice(zone, 4, 6), &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset = (int64_t)(hours * 3600 + minutes * 60) * (zone.ptr[0] == '-' ? -1 : 1);
    return true;
}

bool client_credentials_expiry(struct mr_str text, int64_t *ns)
{
    int part[6];
    int64_t offset;
    static const struct {
        size_t from, to;
    } at[6] = {{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}};
    if (text.len < 20 || !parse_zone(mr_str_slice(text, 19, text.len), &offset))
        return false;
    for (int i = 0; i < 6; i++) {
        int64_t v;
        struct mr_str digits = mr_str_slice(text, at[i].from, at[i].to);
        if (digits.ptr[0] < '0' || digits.ptr[0] > '9' || !mr_str_to_i64(digits, &v))
            return false;
        part[i] = (int)v;
    }
    if (part[0] < 1970 || part[0] > 2261 || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31 ||
        part[3] > 23 || part[4] > 59 || part[5] > 60)
        return false;
    int64_t days = mr_days_from_civil(part[0], (unsigned)part[1], (unsigned)part[2]);
    *ns = days * MR_NS_PER_DAY +
          (part[3] * INT64_C(3600) + part[4] * INT64_C(60) + part[5] - offset) * MR_NS_PER_S;
    return true;
}

static struct mr_str member(struct json_value object, struct mr_str name)
{
    struct json_value v;
    return json_get(object, name, &v) && json_type(v) == JSON_STRING ? json_text(v) : MR_STR_NULL;
}

int client_credentials_from_json(struct mr_str body, struct credential_set *set, struct mr_error *err)
{
    struct json_doc doc;
    struct mr_error why = MR_ERROR_INIT;
    set->arena.limit = 1 << 20;
    int rc = json_parse(body, &set->arena, &doc, &why);
    if (rc == MR_ENOMEM)
        return rc;
    if (rc != MR_OK || json_type(json_root(&doc)) != JSON_OBJECT)
        return mr_error_set(err, MR_EINVAL, "The credentials that came are not a JSON object.");
    struct json_value root = json_root(&doc);
    struct mr_str code = member(root, MR_STR("Code")), expiry = member(root, MR_STR("Expiration"));
    if (code.ptr != NULL && !mr_str_eq(code, MR_STR("Success")))
        return mr_error_set(err, MR_EINVAL, "The source of credentials answered " MR_STR_FMT ".",
                            MR_STR_ARG(code));
    set->id = member(root, MR_STR("AccessKeyId"));
    set->secret = member(root, MR_STR("SecretAccessKey"));
    set->token = member(root, MR_STR("Token"));
    if (set->token.ptr == NULL)
        set->token = member(root, MR_STR("SessionToken"));
    if (set->id.len == 0 || set->secret.len == 0 ||
        (expiry.ptr != NULL && !client_credentials_expiry(expiry, &set->expires_ns)))
        return mr_error_set(err, MR_EINVAL,
                            "The credentials that came lack a member or have a broken Expiration.");
    return MR_OK;
}

int client_credentials_fetch(const struct client_world *world, const struct client_request *q,
                             struct client_response *r, struct mr_error *err)
{
    int error = world->send(world->ctx, q, r);
    if (error == MR_ERR_MEMORY)
        return MR_ENOMEM;
    if (error != 0)
        return mr_error_set(err, MR_EIO, "%s: %s", q->url, r->problem);
    if (r->status != 200)
        return mr_error_set(err, MR_EIO, "%s answered %d.", q->url, r->status);
    return MR_OK;
}

/* A request next door. */
static int fetch(const struct client_world *world, const char *method, const char *url,
                 const struct mr_pair *headers, size_t nheaders, struct client_response *r,
                 struct mr_error *err)
{
    struct client_request q = {.method = method,
                               .url = url,
                               .headers = headers,
                               .nheaders = nheaders,
                               .connect_timeout_ms = REMOTE_CONNECT_MS,
                               .timeout_ms = REMOTE_TIMEOUT_MS,
                               .local = true};
    return client_credentials_fetch(world, &q, r, err);
}

/* ---- container ---- */

/* Over plain HTTP only to hosts that are next door: anybody else could read or forge the answer. */
static bool host_allowed(const struct client_url *url)
{
    static const char *const known[] = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
    if (url->tls || client_url_is_loopback(url))
        return true;
    for (size_t i = 0; i < MR_ARRAY_LEN(known); i++)
        if (mr_str_ieq(url->name, mr_str_of(known[i])))
            return true;
    return false;
}

/* The value of the Authorization header, if there is to be one: a file that may change, else a variable. */
static int container_token(const struct client_world *world, struct mr_buf *token, struct mr_error *err)
{
    const char *path = client_env(world, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *text = client_env(world, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (path != NULL) {
        int rc = mr_io_read_file(world->io, path, REMOTE_TOKEN_MAX, token, err);
        if (rc != MR_OK)
            return rc == MR_ENOENT ? MR_EIO : rc;
    } else if (text != NULL) {
        mr_buf_str(token, mr_str_of(text));
    }
    while (token->len > 0 && (token->ptr[token->len - 1] == '\n' || token->ptr[token->len - 1] == '\r'))
        token->len--;
    for (size_t i = 0; i < token->len; i++)
        if ((unsigned char)token->ptr[i] < 0x20)
            return mr_error_set(err, MR_EINVAL,
                                "The container's authorization token has a line break in it.");
    return mr_buf_ok(token) ? MR_OK : MR_ENOMEM;
}

int client_credentials_from_container(const struct client_world *world, struct credential_set *set,
                                      struct mr_error *err)
{
    const char *relative = client_env(world, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = client_env(world, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative == NULL && full == NULL)
        return MR_ENOENT;
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_buf token = MR_BUF_INIT;
    struct client_response r = {.status = 0};
    struct client_url url;
    struct mr_str text = relative != NULL ? mr_arena_printf(&tmp, RELATIVE_HOST "%s%s",
                                                            relative[0] == '/' ? "" : "/", relative)
                                          : mr_str_of(full);
    int rc = text.ptr != NULL ? client_url_parse(text, &tmp, &url) : MR_ENOMEM;
    if (rc == MR_EINVAL || (rc == MR_OK && !host_allowed(&url)))
        rc = mr_error_set(err, MR_EINVAL,
                          "The container's credentials URI is broken, or plain HTTP to a far host.");
    if (rc == MR_OK)
        rc = container_token(world, &token, err);
    if (rc == MR_OK) {
        struct mr_pair header[] = {{MR_STR("Authorization"), mr_buf_view(&token)}};
        rc = fetch(world, "GET", url.text.ptr, header, token.len > 0 ? 1 : 0, &r, err);
    }
    if (rc == MR_OK)
        rc = client_credentials_from_json(mr_buf_view(&r.body), set, err);
    if (r.body.ptr != NULL)
        explicit_bzero(r.body.ptr, r.body.cap);
    mr_buf_release(&r.body);
    mr_buf_release(&token);
    mr_arena_release(&tmp);
    return rc == MR_ENOENT ? MR_EIO : rc;
}

/* ---- instance ---- */

static const char *instance_host(const struct client_world *world)
{
    const char *host = client_env(world, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = client_env(world, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    if (host != NULL)
        return host;
    return mode != NULL && mr_str_ieq(mr_str_of(mode), MR_STR("ipv6")) ? "http://[fd00:ec2::254]"
                                                                       : INSTANCE_HOST;
}

/* One line of printable ASCII: a token or a role name. */
static bool one_word(struct mr_buf *body, size_t most)
{
    while (body->len > 0 && (body->ptr[body->len - 1] == '\n' || body->ptr[body->len - 1] == '\r'))
        body->len--;
    for (size_t i = 0; i < body->len; i++)
        if (body->ptr[i] <= 0x20 || body->ptr[i] >= 0x7f)
            return false;
    return body->len > 0 && body->len <= most;
}

static int instance_steps(const struct client_world *world, const char *base, struct mr_arena *tmp,
                          struct client_response r[static 3], struct credential_set *set,
                          struct mr_error *err)
{
    static const struct mr_pair lifetime[] = {{{"x-aws-ec2-metadata-token-ttl-seconds", 36}, {"21600", 5}}};
    struct mr_str url = mr_arena_printf(tmp, "%s/latest/api/token", base);
    int rc = url.ptr != NULL ? fetch(world, "PUT", url.ptr, lifetime, 1, &r[0], err) : MR_ENOMEM;
    if (rc != MR_OK)
        return rc;
    if (!one_word(&r[0].body, REMOTE_TOKEN_MAX))
        return mr_error_set(err, MR_EINVAL, "The instance metadata service gave a broken token.");
    struct mr_pair token[] = {{MR_STR("x-aws-ec2-metadata-token"), mr_buf_view(&r[0].body)}};
    url = mr_arena_printf(tmp, "%s" INSTANCE_PATH, base);
    rc = url.ptr != NULL ? fetch(world, "GET", url.ptr, token, 1, &r[1], err) : MR_ENOMEM;
    if (rc != MR_OK)
        return rc;
    if (!one_word(&r[1].body, 128))
        return mr_error_set(err, MR_EINVAL, "The instance metadata service names no role.");
    url = mr_arena_printf(tmp, "%s" INSTANCE_PATH MR_STR_FMT, base, MR_STR_ARG(mr_buf_view(&r[1].body)));
    rc = url.ptr != NULL ? fetch(world, "GET", url.ptr, token, 1, &r[2], err) : MR_ENOMEM;
    return rc == MR_OK ? client_credentials_from_json(mr_buf_view(&r[2].body), set, err) : rc;
}

int client_credentials_from_instance(const struct client_world *world, struct credential_set *set,
                                     struct mr_error *err)
{
    const char *off = client_env(world, "AWS_EC2_METADATA_DISABLED");
    if (off != NULL && mr_str_ieq(mr_str_of(off), MR_STR("true")))
        return MR_ENOENT;
    struct mr_arena tmp = MR_ARENA_INIT;
    struct client_response r[3] = {{.status = 0}, {.status = 0}, {.status = 0}};
    struct mr_error why = MR_ERROR_INIT;
    struct client_url url;
    int rc = client_url_parse(mr_str_of(instance_host(world)), &tmp, &url);
    if (rc == MR_EINVAL)
        rc = mr_error_set(err, MR_EINVAL, "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL.");
    else if (rc == MR_OK) {
        struct mr_str base = {url.text.ptr, url.text.len};
        while (base.len > 0 && base.ptr[base.len - 1] == '/')
            base.len--;
        base = mr_arena_dup(&tmp, base);
        rc = base.ptr != NULL ? instance_steps(world, base.ptr, &tmp, r, set, &why) : MR_ENOMEM;
        if (rc == MR_EIO) /* most machines are no EC2 instances: not there, not configured */
            rc = set->arena.failed ? MR_ENOMEM : MR_ENOENT;
        else if (rc != MR_OK && rc != MR_ENOMEM)
            mr_error_set(err, rc, "%s", why.text);
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(r); i++) {
        if (r[i].body.ptr != NULL)
            explicit_bzero(r[i].body.ptr, r[i].body.cap);
        mr_buf_release(&r[i].body);
    }
    mr_arena_release(&tmp);
    return rc;
}
