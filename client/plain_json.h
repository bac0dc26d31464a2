/* client/plain_json.h - client/json_parse.c and json_number.c under names of their own, beside src/json; for
 * tests. */
#ifndef MR_CLIENT_PLAIN_JSON_H
#define MR_CLIENT_PLAIN_JSON_H

#include "json/json.h"

int plain_json_parse(struct mr_str body, struct mr_arena *arena, struct json_doc *doc, struct mr_error *err);
bool plain_parse_double(struct mr_str text, double *out);
size_t plain_format_double(double v, char *out);
size_t plain_format_java_double(double v, char *out);
size_t plain_format_i64(int64_t v, char *out);

/* Whether two trees are the same, number types and order of members included. */
static inline bool plain_same(struct json_value a, struct json_value b)
{
    if (json_type(a) != json_type(b))
        return false;
    struct json_iter x, y;
    struct json_value i, j;
    struct mr_str name, other;
    switch (json_type(a)) {
    case JSON_STRING:
        return mr_str_eq(json_text(a), json_text(b));
    case JSON_INT:
    case JSON_UINT:
    case JSON_DOUBLE:
        return a.doc->tape[a.at + 1] == b.doc->tape[b.at + 1];
    case JSON_ARRAY:
        if (json_count(a) != json_count(b))
            return false;
        for (x = json_items(a), y = json_items(b); json_next(&x, &i);)
            if (!json_next(&y, &j) || !plain_same(i, j))
                return false;
        return !json_next(&y, &j);
    case JSON_OBJECT:
        if (json_count(a) != json_count(b))
            return false;
        for (x = json_items(a), y = json_items(b); json_next_field(&x, &name, &i);)
            if (!json_next_field(&y, &other, &j) || !mr_str_eq(name, other) || !plain_same(i, j))
                return false;
        return !json_next_field(&y, &other, &j);
    default:
        return true;
    }
}

#endif
