#include "api/form.h"

#include "base/text.h"

static bool decode(struct mr_str text, struct mr_arena *arena, struct mr_str *out, bool *memory)
{
    char *to = mr_arena_alloc(arena, text.len + 1);
    size_t n = 0;
    *memory = to != NULL;
    for (size_t i = 0; to != NULL && i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte == '%') {
            if (!mr_hex_decode(mr_str_slice(text, i + 1, i + 3), &byte) || i + 3 > text.len)
                return false;
            i += 2;
        } else if (byte == '+') {
            byte = ' ';
        }
        to[n++] = (char)byte;
    }
    *out = (struct mr_str){to, n};
    return to != NULL && mr_utf8_valid(*out);
}

int api_form_read(struct mr_str body, struct mr_arena *arena, struct mr_pair **fields, size_t *n)
{
    *n = 0;
    *fields = MR_ARENA_ARRAY(arena, API_FORM_MAX_FIELDS, struct mr_pair);
    if (*fields == NULL)
        return MR_ENOMEM;
    for (size_t from = 0; from < body.len;) {
        size_t end = mr_str_find(body, '&', from);
        struct mr_str part = mr_str_slice(body, from, end);
        size_t eq = mr_str_find(part, '=', 0);
        bool memory = true;
        from = end + 1;
        if (part.len == 0)
            continue;
        if (*n == API_FORM_MAX_FIELDS)
            return MR_EINVAL;
        struct mr_pair *f = &(*fields)[*n];
        if (!decode(mr_str_slice(part, 0, eq), arena, &f->name, &memory) ||
            !decode(mr_str_slice(part, eq + 1, part.len), arena, &f->value, &memory))
            return memory ? MR_EINVAL : MR_ENOMEM;
        if (api_form_get(*fields, *n, f->name).ptr != NULL)
            return MR_EINVAL;
        ++*n;
    }
    return MR_OK;
}

struct mr_str api_form_get(const struct mr_pair *fields, size_t n, struct mr_str name)
{
    for (size_t i = 0; i < n; i++)
        if (mr_str_eq(fields[i].name, name))
            return fields[i].value;
    return MR_STR_NULL;
}

void api_xml_text(struct mr_buf *out, struct mr_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '<')
            mr_buf_str(out, MR_STR("&lt;"));
        else if (c == '>')
            mr_buf_str(out, MR_STR("&gt;"));
        else if (c == '&')
            mr_buf_str(out, MR_STR("&amp;"));
        else if (c == '"')
            mr_buf_str(out, MR_STR("&quot;"));
        else
            mr_buf_char(out, (unsigned char)c < ' ' && c != '\t' && c != '\n' ? '?' : c);
    }
}
