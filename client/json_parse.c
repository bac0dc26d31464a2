/* client/json_parse.c - json_parse of json/json.h in plain C, for the library that others link.
 *
 * The server parses with simdjson, which would bring the C++ runtime into every program that links
 * libmillrace, and more bytes than the rest of the library has. Answers are small and come over a network, so
 * a recursive descent onto the same tape does; fuzz/client_json.c holds the two parsers to the same verdicts
 * and the same trees.
 *
 * The tape lies in the caller's arena. Its size is counted beforehand: a value follows the beginning, a '[',
 * a ',' or a
 * ':' and takes at most two words, a key follows a '{' or a ',' and takes one.
 */
#include "json/json.h"

#include "json/number.h"

struct json_reader {
    const char *at, *end;
    uint64_t *tape;
    uint32_t words;
    char *strings;
    size_t used;
    unsigned depth;
    const char *wrong; /* what is wrong, or NULL */
};

static bool fail(struct json_reader *r, const char *what)
{
    if (r->wrong == NULL)
        r->wrong = what;
    return false;
}

static void skip_blanks(struct json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool eat(struct json_reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static void put(struct json_reader *r, enum json_type type, uint64_t payload)
{
    r->tape[r->words++] = (uint64_t)type << 56 | payload;
}

/* ---- strings ---- */

static bool hex4(struct json_reader *r, uint32_t *out)
{
    *out = 0;
    if (r->end - r->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = *r->at++;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    }
    return to;
}

/* After "\u". Pairs of surrogates become one character; halves are wrong. */
static bool unicode_escape(struct json_reader *r, char **to)
{
    uint32_t c, low;
    if (!hex4(r, &c))
        return fail(r, "a broken \\u escape");
    if (c >= 0xDC00 && c <= 0xDFFF)
        return fail(r, "half of a surrogate pair");
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
            return fail(r, "half of a surrogate pair");
        r->at += 2;
        if (!hex4(r, &low) || low < 0xDC00 || low > 0xDFFF)
            return fail(r, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = put_utf8(*to, c);
    return true;
}

static bool escape(struct json_reader *r, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end)
        return fail(r, "a string without end");
    char c = *r->at++;
    if (c == 'u')
        return unicode_escape(r, to);
    const char *which = c != '\0' ? strchr(from, c) : NULL;
    if (which == NULL)
        return fail(r, "an unknown escape");
    *(*to)++ = into[which - from];
    return true;
}

/* After the opening quote. */
static bool string(struct json_reader *r)
{
    char *start = r->strings + r->used + sizeof(uint32_t), *to = start;
    while (r->at < r->end && *r->at != '"') {
        unsigned char c = (unsigned char)*r->at++;
        if (c == '\\') {
            if (!escape(r, &to))
                return false;
        } else if (c < 0x20) {
            return fail(r, "a control character in a string");
        } else {
            *to++ = (char)c;
        }
    }
    if (r->at == r->end)
        return fail(r, "a string without end");
    r->at++;
    uint32_t len = (uint32_t)(to - start);
    memcpy(start - sizeof len, &len, sizeof len);
    *to = '\0';
    put(r, JSON_STRING, r->used);
    r->used += sizeof len + len + 1;
    return true;
}

/* ---- numbers and words ---- */

static bool digits(struct json_reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > from;
}

static bool integer(struct json_reader *r, struct mr_str text)
{
    int64_t v;
    uint64_t u;
    if (mr_str_to_i64(text, &v)) {
        put(r, JSON_INT, 0);
        u = (uint64_t)v;
    } else if (mr_str_to_u64(text, &u)) {
        put(r, JSON_UINT, 0);
    } else {
        return fail(r, "an integer beyond 64 bits");
    }
    r->tape[r->words++] = u;
    return true;
}

static bool number(struct json_reader *r)
{
    const char *from = r->at;
    bool whole = true;
    if (*r->at == '-')
        r->at++;
    bool zero = r->at < r->end && *r->at == '0';
    const char *first = r->at;
    if (!digits(r) || (zero && r->at - first > 1))
        return fail(r, "a broken number");
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        whole = false;
        if (!digits(r))
            return fail(r, "a broken number");
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        whole = false;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        if (!digits(r))
            return fail(r, "a broken number");
    }
    struct mr_str text = {from, (size_t)(r->at - from)};
    if (whole)
        return integer(r, text);
    double v;
    if (!json_parse_double(text, &v))
        return fail(r, "a number beyond the range of doubles");
    put(r, JSON_DOUBLE, 0);
    memcpy(&r->tape[r->words++], &v, sizeof v);
    return true;
}

static bool word(struct json_reader *r, struct mr_str text, enum json_type type)
{
    if (!mr_str_starts((struct mr_str){r->at, (size_t)(r->end - r->at)}, text))
        return fail(r, "an unknown word");
    r->at += text.len;
    put(r, type, 0);
    return true;
}

/* ---- values ---- */

static bool value(struct json_reader *r);

static bool member(struct json_reader *r)
{
    if (!eat(r, '"'))
        return fail(r, "an object without a key");
    return string(r) && (eat(r, ':') || fail(r, "a key without a value")) && value(r);
}

/* After the opening bracket. The opening word gets the position behind the closing one and the number of
 * elements. */
static bool container(struct json_reader *r, enum json_type type, char close)
{
    uint32_t open = r->words;
    uint64_t count = 0;
    put(r, type, 0);
    if (!eat(r, close)) {
        if (++r->depth >= JSON_MAX_DEPTH)
            return fail(r, "too many levels");
        do {
            if (type == JSON_OBJECT ? !member(r) : !value(r))
                return false;
            count++;
        } while (eat(r, ','));
        if (!eat(r, close))
            return fail(r, "a list or an object without end");
        r->depth--;
    }
    put(r, (enum json_type)close, open);
    r->tape[open] |= (count < 0xffffff ? count : 0xffffff) << 32 | r->words;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by JSON_MAX_DEPTH */
static bool value(struct json_reader *r)
{
    skip_blanks(r);
    if (r->at == r->end)
        return fail(r, "an end where a value belongs");
    switch (*r->at) {
    case '{':
        r->at++;
        return container(r, JSON_OBJECT, '}');
    case '[':
        r->at++;
        return container(r, JSON_ARRAY, ']');
    case '"':
        r->at++;
        return string(r);
    case 't':
        return word(r, MR_STR("true"), JSON_TRUE);
    case 'f':
        return word(r, MR_STR("false"), JSON_FALSE);
    case 'n':
        return word(r, MR_STR("null"), JSON_NULL);
    default:
        return number(r);
    }
}

static size_t most_words(struct mr_str body)
{
    size_t marks = 0;
    for (size_t i = 0; i < body.len; i++) {
        char c = body.ptr[i];
        marks += c == ',' || c == ':' || c == '[' || c == '{';
    }
    return 2 * marks + 4;
}

int json_parse(struct mr_str body, struct mr_arena *arena, struct json_doc *doc, struct mr_error *err)
{
    if (body.len > JSON_MAX_BODY)
        return mr_error_set(err, MR_EINVAL, "The document is larger than %zu bytes.", JSON_MAX_BODY);
    if (!mr_utf8_valid(body))
        return mr_error_set(err, MR_EINVAL, "The document is not UTF-8.");
    struct json_reader r = {.at = body.ptr, .end = body.ptr + body.len};
    /* A string costs five bytes beside its text and takes at least three of the body. */
    r.strings = mr_arena_alloc(arena, 5 * body.len / 3 + 16);
    r.tape = mr_arena_alloc(arena, most_words(body) * sizeof *r.tape);
    if (r.strings == NULL || r.tape == NULL)
        return MR_ENOMEM;
    put(&r, (enum json_type)'r', 0);
    bool good = value(&r);
    skip_blanks(&r);
    if (good && r.at != r.end)
        good = fail(&r, "something behind the value");
    if (!good)
        return mr_error_set(err, MR_EINVAL, "The document has %s.", r.wrong);
    doc->tape = r.tape;
    doc->strings = r.strings;
    return MR_OK;
}
