/* json/json.h - a JSON document as a read-only tree, over simdjson.
 *
 * A body is parsed whole, once, into simdjson's tape (its documented format: one 64-bit word an element, the
 * type in the top byte; but a string's word may hold its length, too), and the functions below walk the tape
 * inline. What comes out is valid: strict UTF-8,
 * no lone surrogates, one value and nothing after it, at most JSON_MAX_DEPTH levels.
 *
 * Memory: strings, unescaped, go into the caller's arena and live as long as it does. The tree itself sits in
 * memory of the calling thread and is valid until that thread's next json_parse. Nothing else is allocated
 * once a thread has seen a body of that size; what it keeps is freed at thread exit (and above 1 MiB of body
 * as soon as a smaller body follows).
 *
 * Thread-safe: every thread has its own parser. A document is used by the thread that parsed it.
 */
#ifndef MR_JSON_JSON_H
#define MR_JSON_JSON_H

#include "base/base.h"

#define JSON_MAX_DEPTH 64
#define JSON_MAX_BODY ((size_t)1 << 30)

/* The values are the tags of the tape. */
enum json_type {
    JSON_NULL = 'n',
    JSON_TRUE = 't',
    JSON_FALSE = 'f',
    JSON_INT = 'l',    /* fits int64 */
    JSON_UINT = 'u',   /* above INT64_MAX, fits uint64 */
    JSON_DOUBLE = 'd', /* written with a fraction or an exponent */
    JSON_STRING = '"',
    JSON_ARRAY = '[',
    JSON_OBJECT = '{',
};

/* Filled by json_parse; must stay where it is while values of it are used. */
struct json_doc {
    const uint64_t *tape; /* the thread's */
    const char *strings;  /* the arena's: bytes and NUL, for each string, and 4 bytes of length before them
                             when  its word does not have it */
};

struct json_value {
    const struct json_doc *doc;
    uint32_t at; /* index into the tape */
};

/* MR_OK, MR_EINVAL (the text says what is wrong; an integer beyond 64 bits and a double beyond its range are
 * wrong too), or MR_ENOMEM (also when the arena's limit refuses). The body is only read, and may be gone
 * afterwards. */
int json_parse(struct mr_str body, struct mr_arena *arena, struct json_doc *doc, struct mr_error *err);

static inline struct json_value json_root(const struct json_doc *doc)
{
    return (struct json_value){doc, 1};
}

static inline uint64_t json_word(struct json_value v)
{
    return v.doc->tape[v.at];
}

static inline enum json_type json_type(struct json_value v)
{
    return (enum json_type)(json_word(v) >> 56);
}

/* A string's word: where it is, in 32 bits (JSON_MAX_BODY keeps it there), and 24 bits that are 0, or more by
 * one than its length. */
#define JSON_INLINE_MAX 0xfffffeu

static inline uint64_t json_inline_text(uint32_t at, uint32_t len)
{
    return (uint64_t)(len + 1) << 32 | at;
}

/* Only for JSON_STRING. NUL-terminated, though the text may hold NULs of its own. */
static inline struct mr_str json_text(struct json_value v)
{
    uint64_t word = json_word(v);
    const char *at = v.doc->strings + (uint32_t)word;
    uint32_t len = (uint32_t)(word >> 32) & 0xffffff;
    if (len != 0)
        return (struct mr_str){at, len - 1};
    memcpy(&len, at, sizeof len);
    return (struct mr_str){at + sizeof len, len};
}

/* false when the value is no integer or does not fit; doubles are never integers, not even 1.0. */
static inline bool json_i64(struct json_value v, int64_t *out)
{
    if (json_type(v) != JSON_INT)
        return false;
    memcpy(out, &v.doc->tape[v.at + 1], sizeof *out);
    return true;
}

static inline bool json_u64(struct json_value v, uint64_t *out)
{
    if (json_type(v) != JSON_UINT && !(json_type(v) == JSON_INT && (int64_t)v.doc->tape[v.at + 1] >= 0))
        return false;
    *out = v.doc->tape[v.at + 1];
    return true;
}

/* Any number; integers are rounded. */
static inline bool json_f64(struct json_value v, double *out)
{
    uint64_t bits = 0;
    switch (json_type(v)) {
    case JSON_DOUBLE:
        memcpy(out, &v.doc->tape[v.at + 1], sizeof *out);
        return true;
    case JSON_INT:
        bits = v.doc->tape[v.at + 1];
        *out = (double)(int64_t)bits;
        return true;
    case JSON_UINT:
        bits = v.doc->tape[v.at + 1];
        *out = (double)bits;
        return true;
    default:
        return false;
    }
}

/* The position after the value. */
static inline uint32_t json_after(struct json_value v)
{
    switch (json_type(v)) {
    case JSON_ARRAY:
    case JSON_OBJECT:
        return (uint32_t)json_word(v);
    case JSON_INT:
    case JSON_UINT:
    case JSON_DOUBLE:
        return v.at + 2;
    default:
        return v.at + 1;
    }
}

/* Walks an array or an object: `json_items(v)`, then json_next or json_next_field until they say false. */
struct json_iter {
    struct json_value next;
    uint32_t end;
};

/* Only for JSON_ARRAY and JSON_OBJECT. */
static inline struct json_iter json_items(struct json_value v)
{
    return (struct json_iter){{v.doc, v.at + 1}, json_after(v) - 1};
}

static inline bool json_next(struct json_iter *it, struct json_value *item)
{
    if (it->next.at >= it->end)
        return false;
    *item = it->next;
    it->next.at = json_after(it->next);
    return true;
}

static inline bool json_next_field(struct json_iter *it, struct mr_str *name, struct json_value *value)
{
    if (it->next.at >= it->end)
        return false;
    *name = json_text(it->next);
    *value = (struct json_value){it->next.doc, it->next.at + 1};
    it->next.at = json_after(*value);
    return true;
}

/* Elements of an array, members of an object. */
size_t json_count(struct json_value v);

/* The member of that name, the last one if there are several. false when there is none or v is no object. */
bool json_get(struct json_value v, struct mr_str name, struct json_value *out);

#endif
