#include "api/audit.h"

#include "api/action.h"
#include "api/api.h"
#include "api/operation_kind.h"

#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "json/json.h"
#include "json/write.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

struct api_audit {
    struct api_audit_options options;
    pthread_mutex_t lock;
    int fd;
    bool failing; /* the last record was lost; read without the lock */
    struct api_audit_counts counts;
    int64_t second; /* of wall time, and how many strangers it had */
    unsigned strangers;
};

/* ---- the file ---- */

static int open_file(const char *path, int *fd, struct mr_error *err)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    return *fd >= 0 ? MR_OK
                    : mr_error_errno(err, mr_io_status(-errno), errno, "cannot open the audit log %s", path);
}

int api_audit_open(const struct api_audit_options *options, struct api_audit **out, struct mr_error *err)
{
    struct api_audit *a = mr_calloc(1, sizeof *a);
    char *path = mr_strndup(options->path, strlen(options->path));
    int status = MR_ENOMEM;
    *out = NULL;
    if (a != NULL && path != NULL) {
        a->options = (struct api_audit_options){path, options->data, options->required};
        pthread_mutex_init(&a->lock, NULL);
        status = open_file(path, &a->fd, err);
    }
    if (status == MR_OK) {
        *out = a;
        return MR_OK;
    }
    mr_free(path);
    mr_free(a);
    return mr_error_set(err, status, "out of memory opening the audit log");
}

void api_audit_close(struct api_audit *a)
{
    if (a == NULL)
        return;
    close(a->fd);
    pthread_mutex_destroy(&a->lock);
    mr_free((char *)(uintptr_t)a->options.path); /* ours: api_audit_open's copy */
    mr_free(a);
}

int api_audit_reopen(struct api_audit *a, struct mr_error *err)
{
    int fd;
    int status = open_file(a->options.path, &fd, err);
    if (status != MR_OK)
        return status;
    pthread_mutex_lock(&a->lock);
    int old = a->fd;
    a->fd = fd;
    pthread_mutex_unlock(&a->lock);
    close(old);
    return MR_OK;
}

void api_audit_counts(const struct api_audit *a, struct api_audit_counts *out)
{
    *out = (struct api_audit_counts){__atomic_load_n(&a->counts.written, __ATOMIC_RELAXED),
                                     __atomic_load_n(&a->counts.lost, __ATOMIC_RELAXED),
                                     __atomic_load_n(&a->counts.left_out, __ATOMIC_RELAXED)};
}

static bool is_data(const struct api_request *req)
{
    return req->operation != NULL && api_operation_is_data(req->operation->op);
}

bool api_audit_may_act(const struct api_audit *a, const struct api_request *req)
{
    return !a->options.required || !__atomic_load_n(&a->failing, __ATOMIC_ACQUIRE) ||
           (is_data(req) && !a->options.data);
}

/* The whole line or nothing of it. Under the lock. */
static bool write_line(struct api_audit *a, struct mr_str line)
{
    struct stat before;
    if (fstat(a->fd, &before) != 0)
        return false;
    ssize_t n;
    do
        n = write(a->fd, line.ptr, line.len);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)line.len)
        return true;
    int failed = n < 0 ? errno : ENOSPC;
    if (n > 0 && S_ISREG(before.st_mode) && ftruncate(a->fd, before.st_size) != 0)
        mr_log(MR_LOG_ERROR, "audit_log_torn", "file=\"%s\"", a->options.path);
    errno = failed;
    return false;
}

static bool append(struct api_audit *a, struct mr_str line)
{
    pthread_mutex_lock(&a->lock);
    bool done = write_line(a, line), was_failing = a->failing;
    int failed = errno;
    __atomic_add_fetch(done ? &a->counts.written : &a->counts.lost, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&a->failing, !done, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&a->lock);
    if (!done && !was_failing)
        mr_log(MR_LOG_ERROR, "audit_log_failed", "file=\"%s\" text=\"%s\" detail=\"%s\"", a->options.path,
               strerror(failed),
               a->options.required ? "calls are refused until it can be written"
                                   : "calls go on without a record");
    else if (done && was_failing)
        mr_log(MR_LOG_INFO, "audit_log_healed", "file=\"%s\"", a->options.path);
    return done;
}

/* Whether one more of nobody's calls is recorded in this second. */
static bool room_for_stranger(struct api_audit *a, int64_t wall_ns)
{
    pthread_mutex_lock(&a->lock);
    int64_t second = wall_ns / MR_NS_PER_S;
    if (second != a->second)
        a->strangers = 0;
    a->second = second;
    bool room = a->strangers++ < AUDIT_STRANGERS;
    if (!room)
        a->counts.left_out++;
    pthread_mutex_unlock(&a->lock);
    return room;
}

/* ---- the record ---- */

/* At most AUDIT_MAX_TEXT bytes, cut between characters; bytes that are not UTF-8 become '?'. */
static void text(struct mr_buf *out, struct mr_str s)
{
    char clean[AUDIT_MAX_TEXT];
    size_t n = s.len < sizeof clean ? s.len : sizeof clean;
    while (n < s.len && n > 0 && ((unsigned char)s.ptr[n] & 0xC0) == 0x80)
        n--;
    if (n > 0)
        memcpy(clean, s.ptr, n);
    for (size_t i = 0; i < n && !mr_utf8_valid((struct mr_str){clean, n}); i++)
        if ((unsigned char)clean[i] >= 0x80)
            clean[i] = '?';
    json_write_string(out, (struct mr_str){clean, n});
}

static void member(struct mr_buf *out, const char *name, struct mr_str value)
{
    mr_buf_printf(out, ",\"%s\":", name);
    if (value.ptr != NULL)
        text(out, value);
    else
        mr_buf_str(out, MR_STR("null"));
}

/* What is asked in confidence or is data, by the names of the API's members. */
static bool is_private(struct mr_str name)
{
    static const char *const names[] = {"NextToken", "ClientToken", "QueryString", "Records",
                                        "CommonAttributes"};
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++)
        if (mr_str_ieq(name, mr_str_of(names[i])))
            return true;
    return false;
}

static void value(struct mr_buf *out, struct json_value v);

static void fields(struct mr_buf *out, struct json_value object, bool names_only)
{
    struct json_iter it = json_items(object);
    struct mr_str name;
    struct json_value v;
    bool first = true;
    mr_buf_char(out, '{');
    while (json_next_field(&it, &name, &v) && out->len < AUDIT_MAX_PARAMETERS) {
        bool about = mr_str_eq(name, MR_STR("DatabaseName")) || mr_str_eq(name, MR_STR("TableName"));
        if (name.len == 0 || name.len > 128 || (names_only && !(about && json_type(v) == JSON_STRING)))
            continue;
        if (!first)
            mr_buf_char(out, ',');
        first = false;
        char lowered[129];
        memcpy(lowered, name.ptr, name.len);
        if (lowered[0] >= 'A' && lowered[0] <= 'Z')
            lowered[0] = (char)(lowered[0] + 32);
        json_write_string(out, (struct mr_str){lowered, name.len});
        mr_buf_char(out, ':');
        if (is_private(name))
            mr_buf_str(out, MR_STR("\"HIDDEN_DUE_TO_SECURITY_REASONS\""));
        else
            value(out, v);
    }
    mr_buf_char(out, '}');
}

/* Numbers and words as JSON has them; json_parse bounds the depth. */
static void value(struct mr_buf *out, struct json_value v)
{
    int64_t i;
    double d;
    bool first = true;
    switch (json_type(v)) {
    case JSON_STRING:
        text(out, json_text(v));
        return;
    case JSON_OBJECT:
        fields(out, v, false);
        return;
    case JSON_ARRAY: {
        struct json_iter it = json_items(v);
        mr_buf_char(out, '[');
        for (struct json_value item; json_next(&it, &item) && out->len < AUDIT_MAX_PARAMETERS;
             first = false) {
            if (!first)
                mr_buf_char(out, ',');
            value(out, item);
        }
        mr_buf_char(out, ']');
        return;
    }
    case JSON_TRUE:
    case JSON_FALSE:
        mr_buf_str(out, json_type(v) == JSON_TRUE ? MR_STR("true") : MR_STR("false"));
        return;
    case JSON_NULL:
        mr_buf_str(out, MR_STR("null"));
        return;
    default:
        break;
    }
    if (json_i64(v, &i))
        json_write_i64(out, i);
    else if (json_f64(v, &d))
        json_write_double(out, d);
}

/* A body that is no object was refused, and tells nothing. */
static void parameters(struct mr_buf *out, const struct api_request *req, bool data)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct json_doc doc;
    struct mr_buf object = MR_BUF_INIT;
    mr_buf_str(out, MR_STR(",\"requestParameters\":"));
    if (req->sts_parameters.ptr != NULL)
        mr_buf_str(out, req->sts_parameters);
    else if (req->operation != NULL && req->http.body.len <= ((size_t)4 << 20) &&
             json_parse(req->http.body, &arena, &doc, NULL) == MR_OK &&
             json_type(json_root(&doc)) == JSON_OBJECT) {
        fields(&object, json_root(&doc), data);
        mr_buf_str(out, mr_buf_ok(&object) ? mr_buf_view(&object) : MR_STR("null"));
    } else
        mr_buf_str(out, MR_STR("null"));
    mr_buf_release(&object);
    mr_arena_release(&arena);
}

static void identity(struct mr_buf *out, const struct api_context *c, const struct api_request *req)
{
    const struct auth_session *session = req->who.session;
    bool role = session != NULL && session->role.len > 0;
    mr_buf_str(out, MR_STR(",\"userIdentity\":{\"type\":"));
    if (req->who.access_key_id.ptr == NULL) { /* nobody's key */
        mr_buf_printf(out, "\"Unknown\",\"accountId\":\"%s\"}", c->account);
        return;
    }
    mr_buf_str(out, role            ? MR_STR("\"AssumedRole\"")
                    : req->who.root ? MR_STR("\"Root\"")
                                    : MR_STR("\"IAMUser\""));
    member(out, "arn", req->principal_arn);
    member(out, "accountId", mr_str_of(c->account));
    member(out, "accessKeyId", req->who.access_key_id);
    if (!role && !req->who.root)
        member(out, "userName", req->who.user);
    if (session != NULL) {
        char issued[32];
        mr_format_iso_ms(session->issued_ns, issued);
        mr_buf_printf(
            out,
            ",\"sessionContext\":{\"attributes\":{\"creationDate\":\"%s\",\"mfaAuthenticated\":\"false\"}",
            issued);
        if (role) {
            mr_buf_str(out, MR_STR(",\"sessionIssuer\":{\"type\":\"Role\""));
            member(out, "userName", session->role);
            mr_buf_char(out, '}');
        }
        mr_buf_char(out, '}');
    }
    mr_buf_char(out, '}');
}

static struct mr_str header(const struct api_request *req, const char *name)
{
    for (size_t i = 0; i < req->http.nheaders; i++)
        if (mr_str_ieq(req->http.headers[i].name, mr_str_of(name)))
            return req->http.headers[i].value;
    return MR_STR_NULL;
}

/* "address:port" without the port. */
static struct mr_str address(const char *peer)
{
    const char *colon = peer != NULL ? strrchr(peer, ':') : NULL;
    return colon != NULL ? (struct mr_str){peer, (size_t)(colon - peer)} : mr_str_of(peer);
}

static void event_id(char out[static 37])
{
    unsigned char raw[16];
    char hex[33];
    mr_random_bytes(raw, sizeof raw);
    raw[6] = (unsigned char)((raw[6] & 0x0F) | 0x40);
    raw[8] = (unsigned char)((raw[8] & 0x3F) | 0x80);
    mr_hex_encode(raw, sizeof raw, hex);
    static const unsigned cuts[] = {0, 8, 12, 16, 20, 32};
    char *p = out;
    for (size_t i = 0; i + 1 < MR_ARRAY_LEN(cuts); i++) {
        p = mempcpy(p, hex + cuts[i], cuts[i + 1] - cuts[i]);
        *p++ = i + 2 < MR_ARRAY_LEN(cuts) ? '-' : '\0';
    }
}

static void record(struct mr_buf *out, const struct api_context *c, const struct api_request *req,
                   unsigned status, bool data, int64_t now)
{
    char when[32], id[37];
    mr_format_iso_ms(now, when);
    memcpy(when + 19, "Z", 2); /* CloudTrail has whole seconds */
    event_id(id);
    bool sts = req->sts_action != NULL;
    struct mr_str name = sts                      ? mr_str_of(req->sts_action)
                         : req->operation != NULL ? req->operation->name
                                                  : MR_STR_NULL;
    bool reads = sts || (req->operation != NULL && api_operation_reads(req->operation->op));
    mr_buf_str(out, MR_STR("{\"eventVersion\":\"1.11\""));
    identity(out, c, req);
    member(out, "eventTime", mr_str_of(when));
    member(out, "eventSource", sts ? MR_STR("sts.amazonaws.com") : MR_STR("timestream.amazonaws.com"));
    member(out, "eventName", name);
    member(out, "awsRegion", req->who.region);
    member(out, "sourceIPAddress", address(req->peer));
    member(out, "userAgent", header(req, "user-agent"));
    if (status >= 400) {
        member(out, "errorCode",
               mr_str_of(req->error_code != NULL ? req->error_code : "InternalServerException"));
        if (req->error_message.len > 0)
            member(out, "errorMessage", req->error_message);
    }
    parameters(out, req, data);
    mr_buf_str(out, MR_STR(",\"responseElements\":null"));
    member(out, "requestID", mr_str_of(req->id));
    member(out, "eventID", mr_str_of(id));
    mr_buf_printf(
        out,
        ",\"readOnly\":%s,\"eventType\":\"AwsApiCall\",\"managementEvent\":%s,\"recipientAccountId\":\"%s\","
        "\"eventCategory\":\"%s\"}\n",
        reads ? "true" : "false", data ? "false" : "true", c->account, data ? "Data" : "Management");
}

bool api_audit_call(struct api_audit *a, const struct api_context *context, const struct api_request *req,
                    unsigned status)
{
    bool data = is_data(req);
    int64_t now = mr_clock_wall(&mr_clock_system);
    if (data && !a->options.data)
        return true;
    if (req->who.access_key_id.ptr == NULL && !room_for_stranger(a, now))
        return true;
    struct mr_buf line = MR_BUF_INIT;
    record(&line, context, req, status, data, now);
    bool done = mr_buf_ok(&line) && append(a, mr_buf_view(&line));
    mr_buf_release(&line);
    return done || !a->options.required;
}
