#include "http/head.h"

static bool is_token_char(unsigned char c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != '\0' && strchr(others, c) != NULL;
}

static bool is_token(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_token_char((unsigned char)s.ptr[i]))
            return false;
    }
    return s.len > 0;
}

/* Visible characters, blanks, tabs and bytes above 127: the field-value of RFC 9110 section 5.5. */
static bool is_field_value(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static bool zeros(const char *at, size_t count, const char *end)
{
    if (at > end || count > (size_t)(end - at))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (at[i] != '\0')
            return false;
    }
    return true;
}

/* name NUL blanks value NUL NUL, starting at `at`; returns where the next line must start, or NULL. */
static const char *tile_header(const char *at, const struct mr_pair *header, const char *end)
{
    if (header->name.ptr != at || header->name.len > (size_t)(end - at))
        return NULL;
    at += header->name.len;
    if (!zeros(at, 1, end))
        return NULL;
    at++;
    while (at < end && at < header->value.ptr && (*at == ' ' || *at == '\t'))
        at++;
    if (header->value.ptr != at || header->value.len > (size_t)(end - at))
        return NULL;
    at += header->value.len;
    return zeros(at, 2, end) ? at + 2 : NULL;
}

bool http_head_tiles(const struct http_head *head, const char *end)
{
    const char *at = head->method.ptr;
    if (at > end || head->method.len > (size_t)(end - at))
        return false;
    at += head->method.len;
    if (!zeros(at, 1, end) || head->target.ptr != at + 1 || head->target.len > (size_t)(end - at - 1))
        return false;
    at += 1 + head->target.len;
    if (!zeros(at, 1, end) || head->version.ptr != at + 1 || head->version.len > (size_t)(end - at - 1))
        return false;
    at += 1 + head->version.len;
    if (!zeros(at, 2, end))
        return false;
    at += 2;
    for (size_t i = 0; i < head->nheaders; i++) {
        at = tile_header(at, &head->headers[i], end);
        if (at == NULL)
            return false;
    }
    return zeros(at, 2, end) && at + 2 == end;
}

struct mr_str http_head_find(const struct mr_pair *headers, size_t count, struct mr_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (mr_str_ieq(headers[i].name, name))
            return headers[i].value;
    }
    return MR_STR_NULL;
}

/* The position of "://" in http: and https: targets, or 0. */
static size_t scheme_length(struct mr_str target)
{
    if (target.len > 7 && mr_str_ieq(mr_str_slice(target, 0, 7), MR_STR("http://")))
        return 7;
    if (target.len > 8 && mr_str_ieq(mr_str_slice(target, 0, 8), MR_STR("https://")))
        return 8;
    return 0;
}

static bool is_target(struct mr_str target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c <= 0x20 || c >= 0x7F || c == '#')
            return false;
    }
    if (target.len == 0)
        return false;
    return target.ptr[0] == '/' || mr_str_eq(target, MR_STR("*")) || scheme_length(target) != 0;
}

void http_head_split(struct mr_str target, struct mr_str *path, struct mr_str *query)
{
    size_t start = scheme_length(target);
    if (start != 0) {
        while (start < target.len && target.ptr[start] != '/' && target.ptr[start] != '?')
            start++;
        target = mr_str_slice(target, start, target.len);
    }
    size_t mark = mr_str_find(target, '?', 0);
    *path = mark == 0 ? MR_STR("/") : mr_str_slice(target, 0, mark);
    *query = mark < target.len ? mr_str_slice(target, mark + 1, target.len) : MR_STR("");
}

/* uri-host [ ":" port ] by its alphabet (RFC 3986 section 3.2.2): enough that nothing else can hide in it. */
static bool is_host(struct mr_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (c == '\0' || strchr("-._~%!$&'()*+,;=:[]", c) == NULL))
            return false;
    }
    return true;
}

static bool parse_length(struct mr_str text, uint64_t *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false; /* mr_str_to_u64 would take a sign */
    }
    return mr_str_to_u64(text, out);
}

struct counts {
    unsigned host, length, coding;
};

/* One header at a time, so that a head is walked once. */
static bool check_header(const struct mr_pair *header, struct counts *seen, struct http_framing *framing,
                         enum http_fault *fault)
{
    *fault = HTTP_FAULT_MALFORMED;
    if (!is_token(header->name) || !is_field_value(header->value))
        return false;
    switch (header->name.len) {
    case 4:
        if (mr_str_ieq(header->name, MR_STR("Host")))
            return ++seen->host == 1 && is_host(header->value);
        break;
    case 14:
        if (mr_str_ieq(header->name, MR_STR("Content-Length"))) {
            framing->has_length = true;
            return ++seen->length == 1 && parse_length(header->value, &framing->length);
        }
        break;
    case 16:
        if (mr_str_ieq(header->name, MR_STR("Content-Encoding")) &&
            !mr_str_ieq(header->value, MR_STR("identity"))) {
            *fault = HTTP_FAULT_ENCODING;
            return false;
        }
        break;
    case 17:
        if (mr_str_ieq(header->name, MR_STR("Transfer-Encoding"))) {
            framing->chunked = true;
            return ++seen->coding == 1 && mr_str_ieq(header->value, MR_STR("chunked"));
        }
        break;
    default:
        break;
    }
    return true;
}

bool http_head_check(const struct http_head *head, const struct http_limits *limits,
                     struct http_framing *framing, enum http_fault *fault)
{
    *framing = (struct http_framing){0};
    *fault = HTTP_FAULT_MALFORMED;
    bool modern = mr_str_eq(head->version, MR_STR("HTTP/1.1"));
    if (!modern && !mr_str_eq(head->version, MR_STR("HTTP/1.0")))
        return false;
    if (!is_token(head->method))
        return false;
    if (head->target.len > HTTP_MAX_TARGET) {
        *fault = HTTP_FAULT_TARGET_TOO_LONG;
        return false;
    }
    if (!is_target(head->target))
        return false;
    struct counts seen = {0};
    enum http_fault encoding = HTTP_FAULT_MALFORMED;
    for (size_t i = 0; i < head->nheaders; i++) {
        if (check_header(&head->headers[i], &seen, framing, fault))
            continue;
        if (*fault != HTTP_FAULT_ENCODING)
            return false;
        encoding = HTTP_FAULT_ENCODING; /* reported only when nothing worse is wrong */
    }
    *fault = HTTP_FAULT_MALFORMED;
    if (modern && seen.host == 0)
        return false;
    if (framing->chunked && (framing->has_length || !modern))
        return false;
    if (framing->has_length && framing->length > limits->max_body) {
        *fault = HTTP_FAULT_BODY_TOO_LARGE;
        return false;
    }
    *fault = encoding;
    return encoding != HTTP_FAULT_ENCODING;
}
