#include "client/url.h"

#define URL_MAX 2048

static bool plain(struct mr_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}@?#", c) != NULL)
            return false;
    }
    return true;
}

/* host, [v6]; then :port. false when it is none of them. */
static bool split_host(struct mr_str authority, struct mr_str *name, struct mr_str *port)
{
    size_t end;
    if (authority.len > 0 && authority.ptr[0] == '[') {
        end = mr_str_find(authority, ']', 0);
        if (end == authority.len)
            return false;
        *name = mr_str_slice(authority, 1, end);
        for (size_t i = 0; i < name->len; i++)
            if (strchr("0123456789abcdefABCDEF:.%", name->ptr[i]) == NULL)
                return false;
        end++;
    } else {
        end = mr_str_find(authority, ':', 0);
        *name = mr_str_slice(authority, 0, end);
        if (mr_str_find(*name, '[', 0) < name->len || mr_str_find(*name, ']', 0) < name->len)
            return false;
    }
    if (end < authority.len && authority.ptr[end] != ':')
        return false;
    *port = mr_str_slice(authority, end + 1, authority.len);
    return name->len > 0 && (end == authority.len || port->len > 0);
}

int client_url_parse(struct mr_str text, struct mr_arena *arena, struct client_url *out)
{
    *out = (struct client_url){.path = MR_STR("/")};
    text = mr_str_trim(text);
    size_t scheme = mr_str_starts(text, MR_STR("https://"))  ? 8
                    : mr_str_starts(text, MR_STR("http://")) ? 7
                                                             : 0;
    if (scheme == 0 || text.len > URL_MAX || !plain(text))
        return MR_EINVAL;
    out->tls = scheme == 8;
    size_t slash = mr_str_find(text, '/', scheme);
    struct mr_str authority = mr_str_slice(text, scheme, slash), port;
    if (slash < text.len)
        out->path = mr_arena_dup(arena, mr_str_slice(text, slash, text.len));
    if (!split_host(authority, &out->name, &port))
        return MR_EINVAL;
    int64_t number = out->tls ? 443 : 80;
    if (port.len > 0 && (!mr_str_to_i64(port, &number) || number < 1 || number > 65535))
        return MR_EINVAL;
    if (port.len > 0 && number == (out->tls ? 443 : 80)) /* the default port is not spelled out in Host */
        authority = mr_str_slice(authority, 0, authority.len - port.len - 1);
    out->name = mr_arena_dup(arena, out->name);
    out->host = mr_arena_dup(arena, authority);
    out->text = mr_arena_printf(arena, "%s://" MR_STR_FMT MR_STR_FMT, out->tls ? "https" : "http",
                                MR_STR_ARG(out->host), MR_STR_ARG(out->path));
    return arena->failed ? MR_ENOMEM : MR_OK;
}

bool client_url_is_loopback(const struct client_url *url)
{
    if (mr_str_ieq(url->name, MR_STR("localhost")) || mr_str_eq(url->name, MR_STR("::1")))
        return true;
    for (size_t i = 0; i < url->name.len; i++) /* 127.example.com is a name like any other */
        if (strchr("0123456789.", url->name.ptr[i]) == NULL)
            return false;
    return mr_str_starts(url->name, MR_STR("127."));
}
