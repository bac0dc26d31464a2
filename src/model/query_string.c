/* A request whose members stand in the query of a presigned URL (write-api reference 2.3). */
#include "model/decode.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes into the arena; '+' is a blank, as forms write it. False on a broken escape or UTF-8;
 * MR_STR_NULL when the arena refused. */
static bool unescape(struct mr_arena *arena, struct mr_str s, struct mr_str *out)
{
    char *to = mr_arena_alloc(arena, s.len + 1);
    *out = MR_STR_NULL;
    if (to == NULL)
        return true;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i] == '+' ? ' ' : s.ptr[i];
        if (c == '%') {
            if (s.len - i < 3 || hex(s.ptr[i + 1]) < 0 || hex(s.ptr[i + 2]) < 0)
                return false;
            c = (char)(hex(s.ptr[i + 1]) << 4 | hex(s.ptr[i + 2]));
            i += 2;
        }
        to[n++] = c;
    }
    to[n] = '\0';
    *out = (struct mr_str){to, n};
    return mr_utf8_valid(*out);
}

/* true and false in the spelling of JSON or of Python's repr, which botocore sends. */
static bool take_boolean(struct mr_str text, struct model_bool *field)
{
    bool v = mr_str_ieq(text, MR_STR("true"));
    if (!v && !mr_str_ieq(text, MR_STR("false")))
        return false;
    *field = (struct model_bool){true, v};
    return true;
}

static bool take(struct model_decoder *d, const struct model_member *m, struct mr_str text, void *field)
{
    int64_t i;
    switch (m->kind) {
    case MODEL_KIND_TEXT:
    case MODEL_KIND_NAME:
    case MODEL_KIND_ENUM:
        model_take_text(d, m, text, field);
        return true;
    case MODEL_KIND_LONG:
    case MODEL_KIND_INTEGER:
        return mr_str_to_i64(text, &i) && model_take_integer(d, m, i, field);
    case MODEL_KIND_BOOLEAN:
        return take_boolean(text, field);
    default:
        return false;
    }
}

/* One name=value. What no member is called, the signature's X-Amz- parameters among it, is passed over. */
static int take_parameter(struct model_decoder *d, const struct model_shape *shape, struct mr_str part,
                          void *value)
{
    size_t equals = mr_str_find(part, '=', 0);
    struct mr_str name, text;
    if (!unescape(d->arena, mr_str_slice(part, 0, equals), &name) ||
        !unescape(d->arena, mr_str_slice(part, equals + 1, part.len), &text))
        return model_fail(d->fault, MODEL_SERIALIZATION, d->arena, "The query string is not valid.");
    if (name.ptr == NULL || text.ptr == NULL)
        return MR_ENOMEM;
    const struct model_member *m = model_member_find(shape->index, name);
    if (m == NULL)
        return MR_OK;
    if (!take(d, m, text, (char *)value + m->offset))
        return model_fail(d->fault, MODEL_SERIALIZATION, d->arena,
                          "STRING_VALUE can not be converted to the type of " MR_STR_FMT,
                          MR_STR_ARG(m->name));
    return MR_OK;
}

int model_decode_query(const struct model_shape *shape, struct mr_str query, struct mr_arena *arena,
                       void **out, struct model_fault *fault)
{
    struct model_decoder d = {.arena = arena, .fault = fault};
    *out = NULL;
    void *value = mr_arena_zalloc(arena, shape->size);
    if (value == NULL)
        return MR_ENOMEM;
    for (size_t from = 0; from < query.len;) {
        size_t to = mr_str_find(query, '&', from);
        if (to > from) {
            int rc = take_parameter(&d, shape, mr_str_slice(query, from, to), value);
            if (rc != MR_OK)
                return rc;
        }
        from = to + 1;
    }
    if (arena->failed)
        return MR_ENOMEM;
    int rc = model_validate(&d, shape, value);
    if (rc == MR_OK)
        *out = value;
    return rc;
}
