#include "json/quick.h"

#define MAX_COUNT 0xffffffu /* of a container, in its word; that and above is counted by walking */

/* A container that is open. */
struct level {
    uint32_t start; /* on the tape */
    uint32_t count; /* of what it holds so far */
    char kind;      /* '{' or '[' */
};

/* The helpers take and return places: in one struct the compiler would have to read all of it again after
 * each byte that is written to the text. */

static inline uint64_t word_of(char type, uint64_t rest)
{
    return (uint64_t)(unsigned char)type << 56 | rest;
}

static inline char closing(char kind)
{
    return (char)(kind + 2); /* in ASCII, both */
}

/* The last byte of the token: the last one before the next token that is no blank. */
static inline char *last_of(char *text, const uint32_t *at)
{
    char *p = text + at[1] - 1;
    while (MR_UNLIKELY(*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p--;
    return p;
}

static inline bool string(char *text, const uint32_t *at, uint64_t *word)
{
    char *first = text + at[0], *last = last_of(text, at);
    size_t len = (size_t)(last - first) - 1;
    if (last <= first || *last != '"' || len > JSON_INLINE_MAX)
        return false;
    *last = '\0';
    *word = word_of('"', json_inline_text(at[0] + 1, (uint32_t)len));
    return true;
}

/* The name of a member, and that its value follows. */
static inline bool name(char *text, const uint32_t *at, uint64_t *word)
{
    return text[at[0]] == '"' && string(text, at, word) && text[at[1]] == ':';
}

/* Digits that cannot leave 64 bits. */
static bool integer(const char *p, size_t len, uint64_t *out)
{
    bool negative = *p == '-';
    p += negative;
    len -= negative;
    if (len == 0 || len > 18 || (*p == '0' && (len > 1 || negative)))
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)p[i] - '0';
        if (digit > 9)
            return false;
        v = v * 10 + digit;
    }
    *out = negative ? -v : v;
    return true;
}

/* How many words it takes; 0: not plain. */
static uint32_t scalar(char *text, const uint32_t *at, uint64_t *words)
{
    const char *first = text + at[0], *last = last_of(text, at);
    if (last < first) /* the document has ended */
        return 0;
    struct mr_str token = {first, (size_t)(last - first) + 1};
    if (mr_str_eq(token, MR_STR("true")) || mr_str_eq(token, MR_STR("false")) ||
        mr_str_eq(token, MR_STR("null"))) {
        words[0] = word_of(*first, 0);
        return 1;
    }
    words[0] = word_of('l', 0);
    return integer(first, token.len, &words[1]) ? 2 : 0;
}

static inline void close(uint64_t *tape, uint32_t n, const struct level *level)
{
    uint64_t count = level->count < MAX_COUNT ? level->count : MAX_COUNT;
    tape[n] = word_of(closing(level->kind), level->start);
    tape[level->start] = word_of(level->kind, count << 32 | (n + 1));
}

bool json_quick(char *text, const uint32_t *at, uint32_t count, uint64_t *tape)
{
    struct level levels[JSON_MAX_DEPTH], *level = levels; /* levels[0] is none */
    levels[0] = (struct level){0, 0, '\0'}; /* for the analyser: a container opens before it is looked at */
    const uint32_t *end = at + count;
    uint32_t n = 1, words;
    if (count == 0 || (text[*at] != '{' && text[*at] != '['))
        return false;
    for (;;) {
        char c = text[*at];
        if (c == '{' || c == '[') {
            if (level == levels + JSON_MAX_DEPTH - 1)
                return false;
            *++level = (struct level){n++, 0, c};
            at++;
            if (text[*at] != closing(c)) {
                if (c == '[')
                    continue;
                goto member;
            }
            level->count--; /* which ends it counts one: none here */
        } else {
            words = c == '"' ? string(text, at, tape + n) : scalar(text, at, tape + n);
            if (words == 0)
                return false;
            n += words;
            at++;
        }
        for (;;) { /* behind a value: ends of containers, then a comma */
            level->count++;
            c = text[*at++];
            if (c == ',')
                break;
            if (c != closing(level->kind))
                return false;
            close(tape, n++, level);
            if (--level == levels)
                return at == end;
        }
        if (level->kind == '[')
            continue;
    member:
        if (!name(text, at, tape + n++))
            return false;
        at += 2;
    }
}
