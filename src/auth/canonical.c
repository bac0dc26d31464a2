#include "auth/sigv4.h"

#include <stdlib.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r'); /* \t \n \v \f \r */
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool auth_name_is(struct mr_str low, struct mr_str name)
{
    if (low.len != name.len)
        return false;
    for (size_t i = 0; i < low.len; i++)
        if (low.ptr[i] != lower(name.ptr[i]))
            return false;
    return true;
}

bool auth_list_has(struct mr_str list, struct mr_str name)
{
    for (size_t from = 0; from < list.len;) {
        size_t to = mr_str_find(list, ';', from);
        if (mr_str_eq(mr_str_slice(list, from, to), name))
            return true;
        from = to + 1;
    }
    return false;
}

/* Words joined by one blank each. Line breaks count as blanks, so no value can forge a line of its own. */
static void add_words(struct mr_buf *out, struct mr_str value)
{
    size_t i = 0, words = 0;
    for (;;) {
        while (i < value.len && is_space(value.ptr[i]))
            i++;
        if (i == value.len)
            return;
        size_t from = i;
        while (i < value.len && !is_space(value.ptr[i]))
            i++;
        if (words++ > 0)
            mr_buf_char(out, ' ');
        mr_buf_add(out, value.ptr + from, i - from);
    }
}

/* All values of a header, in order, with commas between. Returns how many there were. */
static size_t add_values(struct mr_buf *out, const struct auth_request *req, struct mr_str name)
{
    size_t n = 0;
    for (size_t i = 0; i < req->nheaders; i++) {
        if (!auth_name_is(name, req->headers[i].name))
            continue;
        if (n++ > 0)
            mr_buf_char(out, ',');
        add_words(out, req->headers[i].value);
    }
    return n;
}

int auth_header_value(const struct auth_request *req, struct mr_str name, struct mr_arena *arena,
                      struct mr_str *value)
{
    struct mr_buf buf = MR_BUF_INIT;
    *value = MR_STR_NULL;
    int status = MR_OK;
    if (add_values(&buf, req, name) > 0) {
        *value = mr_arena_dup(arena, mr_buf_view(&buf));
        if (value->ptr == NULL || !mr_buf_ok(&buf))
            status = MR_ENOMEM;
    }
    mr_buf_release(&buf);
    return status;
}

/* `name:value\n` for each of "a;b;c". MR_EINVAL when the request does not have one of them. */
static int add_headers(struct mr_buf *out, const struct auth_request *req, struct mr_str list)
{
    for (size_t from = 0; from <= list.len;) {
        size_t to = mr_str_find(list, ';', from);
        struct mr_str name = mr_str_slice(list, from, to);
        mr_buf_str(out, name);
        mr_buf_char(out, ':');
        if (add_values(out, req, name) == 0)
            return MR_EINVAL;
        mr_buf_char(out, '\n');
        from = to + 1;
    }
    return MR_OK;
}

/* The path without dot segments and doubled slashes, then encoded once more: AWS services other than S3 sign
 * the path as it stands on the wire, so that a '%' there becomes %25. */
static int add_path(struct mr_buf *out, struct mr_str path, struct mr_arena *tmp)
{
    size_t slashes = 0;
    for (size_t i = 0; i < path.len; i++)
        slashes += path.ptr[i] == '/';
    if (slashes == path.len) { /* "/", the path of nearly every request */
        mr_buf_char(out, '/');
        return MR_OK;
    }
    struct mr_str *stack = MR_ARENA_ARRAY(tmp, slashes + 1, struct mr_str);
    char *encoded = mr_arena_alloc(tmp, path.len * 3);
    if (stack == NULL || encoded == NULL)
        return MR_ENOMEM;
    size_t depth = 0;
    for (size_t from = 0; from <= path.len;) {
        size_t to = mr_str_find(path, '/', from);
        struct mr_str segment = mr_str_slice(path, from, to);
        if (mr_str_eq(segment, MR_STR("..")))
            depth -= depth > 0;
        else if (segment.len > 0 && !mr_str_eq(segment, MR_STR(".")))
            stack[depth++] = segment;
        from = to + 1;
    }
    for (size_t i = 0; i < depth; i++) {
        mr_buf_char(out, '/');
        mr_buf_add(out, encoded, auth_uri_encode(stack[i], encoded));
    }
    if (depth == 0 || path.ptr[path.len - 1] == '/')
        mr_buf_char(out, '/');
    return MR_OK;
}

static int by_name_then_value(const void *a, const void *b)
{
    const struct mr_pair *x = a, *y = b;
    int c = mr_str_cmp(x->name, y->name);
    return c != 0 ? c : mr_str_cmp(x->value, y->value);
}

/* Decoded and encoded again, so that every spelling of one value signs alike. NULL view when memory is short.
 */
static struct mr_str normalised(struct mr_str text, struct mr_arena *tmp)
{
    char *plain = mr_arena_alloc(tmp, text.len + 1), *encoded = mr_arena_alloc(tmp, text.len * 3 + 1);
    if (plain == NULL || encoded == NULL)
        return MR_STR_NULL;
    return (struct mr_str){encoded, auth_uri_encode(auth_uri_decode(text, plain), encoded)};
}

/* name=value pairs sorted by encoded name, then value. A presigned request leaves its own signature out. */
static int add_query(struct mr_buf *out, struct mr_str query, struct mr_arena *tmp)
{
    if (query.len == 0)
        return MR_OK;
    size_t n = 0, most = 1;
    for (size_t i = 0; i < query.len; i++)
        most += query.ptr[i] == '&';
    struct mr_pair *pairs = MR_ARENA_ARRAY(tmp, most, struct mr_pair);
    if (pairs == NULL)
        return MR_ENOMEM;
    bool presigned = false;
    for (size_t from = 0; from <= query.len;) {
        size_t to = mr_str_find(query, '&', from);
        struct mr_str part = mr_str_slice(query, from, to);
        from = to + 1;
        if (part.len == 0)
            continue;
        size_t eq = mr_str_find(part, '=', 0);
        pairs[n].name = normalised(mr_str_slice(part, 0, eq), tmp);
        pairs[n].value = normalised(mr_str_slice(part, eq + 1, part.len), tmp);
        presigned = presigned || mr_str_eq(pairs[n].name, MR_STR("X-Amz-Algorithm"));
        n++;
    }
    if (tmp->failed)
        return MR_ENOMEM;
    qsort(pairs, n, sizeof *pairs, by_name_then_value);
    const char *between = "";
    for (size_t i = 0; i < n; i++) {
        if (presigned && mr_str_eq(pairs[i].name, MR_STR("X-Amz-Signature")))
            continue;
        mr_buf_str(out, mr_str_of(between));
        mr_buf_str(out, pairs[i].name);
        mr_buf_char(out, '=');
        mr_buf_str(out, pairs[i].value);
        between = "&";
    }
    return MR_OK;
}

int auth_canonical_request(const struct auth_request *req, struct mr_str signed_headers,
                           struct mr_str payload_hash, struct mr_buf *out)
{
    struct mr_arena tmp = MR_ARENA_INIT;
    mr_buf_str(out, req->method);
    mr_buf_char(out, '\n');
    int status = MR_OK;
    if (req->path_as_is)
        mr_buf_str(out, req->path);
    else
        status = add_path(out, req->path, &tmp);
    if (status != MR_OK)
        goto done;
    mr_buf_char(out, '\n');
    status = add_query(out, req->query, &tmp);
    if (status != MR_OK)
        goto done;
    mr_buf_char(out, '\n');
    status = add_headers(out, req, signed_headers);
    if (status != MR_OK)
        goto done;
    mr_buf_char(out, '\n');
    mr_buf_str(out, signed_headers);
    mr_buf_char(out, '\n');
    mr_buf_str(out, payload_hash);
done:
    mr_arena_release(&tmp);
    return mr_buf_ok(out) ? status : MR_ENOMEM;
}

int auth_string_to_sign(struct mr_str datetime, const struct auth_scope *scope, struct mr_str canonical,
                        struct mr_buf *out)
{
    char hash[AUTH_HEX_LEN + 1];
    int status = auth_sha256_hex(canonical, hash);
    if (status != MR_OK)
        return status;
    const struct mr_str parts[] = {MR_STR(AUTH_ALGORITHM "\n"),
                                   datetime,
                                   MR_STR("\n"),
                                   scope->date,
                                   MR_STR("/"),
                                   scope->region,
                                   MR_STR("/"),
                                   scope->service,
                                   MR_STR("/" AUTH_TERMINATOR "\n"),
                                   {hash, AUTH_HEX_LEN}};
    for (size_t i = 0; i < MR_ARRAY_LEN(parts); i++)
        mr_buf_str(out, parts[i]);
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}
