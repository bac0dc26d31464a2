#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

static void parse_target(struct auth_request *req, struct mr_str target)
{
    size_t mark = mr_str_find(target, '?', 0);
    req->path = mr_str_slice(target, 0, mark);
    req->query = mr_str_slice(target, mark + 1, target.len);
}

void wire_parse(struct wire *wire, const char *text)
{
    memset(wire, 0, sizeof *wire);
    wire->text = strdup(text);
    struct mr_str s = mr_str_of(wire->text);
    size_t line = mr_str_find(s, '\n', 0), blank = mr_str_find(s, ' ', 0);
    assert_true(blank < line);
    wire->req.method = mr_str_slice(s, 0, blank);
    parse_target(&wire->req, mr_str_slice(s, blank + 1, line));
    size_t at = line + 1;
    for (; at < s.len && s.ptr[at] != '\n'; at = line + 1) {
        line = mr_str_find(s, '\n', at);
        if (s.ptr[at] == ' ' || s.ptr[at] == '\t') {
            assert_true(wire->req.nheaders > 0);
            struct mr_str *value = &wire->headers[wire->req.nheaders - 1].value;
            value->len = (size_t)(s.ptr + line - value->ptr);
            continue;
        }
        size_t colon = mr_str_find(s, ':', at);
        assert_true(colon < line && wire->req.nheaders < WIRE_MAX_HEADERS);
        wire->headers[wire->req.nheaders++] =
            (struct mr_pair){mr_str_slice(s, at, colon), mr_str_slice(s, colon + 1, line)};
    }
    wire->req.headers = wire->headers;
    wire->req.body = mr_str_slice(s, at + 1, s.len);
}

void wire_free(struct wire *wire)
{
    free(wire->text);
    memset(wire, 0, sizeof *wire);
}

void wire_set(struct wire *wire, const char *name, struct mr_str value)
{
    for (size_t i = 0; i < wire->req.nheaders; i++) {
        if (mr_str_ieq(wire->headers[i].name, mr_str_of(name))) {
            wire->headers[i].value = value;
            return;
        }
    }
    assert_true(wire->req.nheaders < WIRE_MAX_HEADERS);
    wire->headers[wire->req.nheaders++] = (struct mr_pair){mr_str_of(name), value};
}

void wire_drop(struct wire *wire, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < wire->req.nheaders; i++)
        if (!mr_str_ieq(wire->headers[i].name, mr_str_of(name)))
            wire->headers[kept++] = wire->headers[i];
    wire->req.nheaders = kept;
}

struct auth_keys *wire_keys(void)
{
    struct auth_keys *keys;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(auth_keys_new(&keys), MR_OK);
    check_ok(
        auth_keys_add(keys, MR_STR("root"), MR_STR(WIRE_ID), MR_STR(WIRE_SECRET), MR_STR_NULL, 0, true, &err),
        &err);
    check_ok(auth_keys_add(keys, MR_STR("app"), MR_STR(WIRE_TEMP_ID), MR_STR(WIRE_TEMP_SECRET),
                           MR_STR(WIRE_TOKEN), WIRE_NOW + INT64_C(3600) * 1000000000, false, &err),
             &err);
    return keys;
}

struct auth_credentials wire_credentials(void)
{
    return (struct auth_credentials){.access_key_id = MR_STR(WIRE_ID),
                                     .secret = MR_STR(WIRE_SECRET),
                                     .region = MR_STR("us-east-1"),
                                     .service = MR_STR("timestream")};
}

struct auth_credentials wire_temporary_credentials(void)
{
    return (struct auth_credentials){.access_key_id = MR_STR(WIRE_TEMP_ID),
                                     .secret = MR_STR(WIRE_TEMP_SECRET),
                                     .session_token = MR_STR(WIRE_TOKEN),
                                     .region = MR_STR("us-east-1"),
                                     .service = MR_STR("timestream")};
}

void wire_sign(struct wire *wire, const struct auth_credentials *cred, struct mr_arena *arena)
{
    struct mr_pair fresh[4];
    size_t n;
    assert_int_equal(auth_sign(cred, &wire->req, WIRE_NOW, arena, fresh, &n), MR_OK);
    for (size_t i = 0; i < n; i++)
        wire->headers[wire->req.nheaders++] = fresh[i];
}

const char *wire_verdict(const struct wire *wire, const struct auth_keys *keys, int64_t now_ns)
{
    static char verdict[1200];
    struct mr_arena arena = MR_ARENA_INIT;
    struct auth_identity who;
    struct auth_failure why;
    int status = auth_verify(keys, NULL, &wire->req, now_ns, &arena, &who, &why);
    mr_arena_release(&arena);
    if (status == MR_OK)
        return "";
    assert_int_equal(status, MR_EDENIED);
    snprintf(verdict, sizeof verdict, "%s: %s", why.type, why.message);
    return verdict;
}
