#include <ctype.h>

#include "engine/regex.h"

#define CLASS_DEPTH_MAX 50

static const struct {
    const char *java, *posix;
} classes[] = {
    {"Lower", "lower"}, {"Upper", "upper"},   {"ASCII", "ascii"}, {"Alpha", "alpha"}, {"Digit", "digit"},
    {"Alnum", "alnum"}, {"Punct", "punct"},   {"Graph", "graph"}, {"Print", "print"}, {"Blank", "blank"},
    {"Cntrl", "cntrl"}, {"XDigit", "xdigit"}, {"Space", "space"},
};

/* \p{Alpha}, \P{Alpha} at `at`: appended as a POSIX class. Returns the bytes taken, 0 when it is another
 * property. */
static size_t posix_class(struct mr_str s, size_t at, bool in_class, struct mr_buf *out)
{
    size_t close = mr_str_find(s, '}', at);
    struct mr_str name;

    if (at + 3 >= s.len || s.ptr[at + 2] != '{' || close == s.len)
        return 0;
    name = mr_str_slice(s, at + 3, close);
    for (size_t i = 0; i < MR_ARRAY_LEN(classes); i++) {
        if (!mr_str_eq(name, mr_str_of(classes[i].java)))
            continue;
        mr_buf_printf(out, in_class ? "[:%s%s:]" : "[[:%s%s:]]", s.ptr[at + 1] == 'P' ? "^" : "",
                      classes[i].posix);
        return close + 1 - at;
    }
    return 0;
}

static bool four_hex(struct mr_str s, size_t at)
{
    for (size_t i = 0; i < 4; i++)
        if (at + i >= s.len || !isxdigit((unsigned char)s.ptr[at + i]))
            return false;
    return true;
}

/* An escape at `at`, appended; returns the bytes taken. */
static size_t escape(struct mr_str s, size_t at, bool in_class, struct mr_buf *out)
{
    char c = at + 1 < s.len ? s.ptr[at + 1] : '\0';

    if (c == 'Q') { /* quoted up to \E, as in both */
        const char *end = memmem(s.ptr + at, s.len - at, "\\E", 2);
        size_t taken = end == NULL ? s.len - at : (size_t)(end - (s.ptr + at)) + 2;
        mr_buf_add(out, s.ptr + at, taken);
        return taken;
    }
    if (c == 'u' && four_hex(s, at + 2)) {
        mr_buf_printf(out, "\\x{%.4s}", s.ptr + at + 2);
        return 6;
    }
    if (c == 'p' || c == 'P') {
        size_t taken = posix_class(s, at, in_class, out);
        if (taken > 0)
            return taken;
    }
    size_t taken = at + 1 < s.len ? 2 : 1;
    mr_buf_add(out, s.ptr + at, taken);
    return taken;
}

/* ---- classes ---- */

/* "[:alpha:]" at `at` of a class; 0 when there is none. */
static size_t posix_bracket(struct mr_str s, size_t at)
{
    size_t end = at + 2;

    if (at + 1 >= s.len || s.ptr[at + 1] != ':')
        return 0;
    while (end < s.len && (isalpha((unsigned char)s.ptr[end]) || s.ptr[end] == '^'))
        end++;
    return end + 1 < s.len && s.ptr[end] == ':' && s.ptr[end + 1] == ']' ? end + 2 - at : 0;
}

/* A class as Java reads it: classes in it add to it, and what stands around && must hold together. PCRE2
 * knows neither, but each part matches one character, so they become alternatives and looks ahead. */
struct class {
    struct mr_buf plain;    /* members of the operand, as the inside of a class of PCRE2 */
    struct mr_buf nested;   /* classes of the operand, each with | before it */
    struct mr_buf operands; /* before this one, as looks ahead */
    bool composed;
};

/* The operand, as something that matches one character; false when it has no member. */
static bool put_operand(const struct class *c, struct mr_buf *out)
{
    if (c->plain.len == 0 && c->nested.len == 0)
        return false;
    mr_buf_str(out, MR_STR("(?:"));
    if (c->plain.len > 0)
        mr_buf_printf(out, "[" MR_STR_FMT "]", MR_STR_ARG(mr_buf_view(&c->plain)));
    mr_buf_str(out, mr_str_slice(mr_buf_view(&c->nested), c->plain.len > 0 ? 0 : 1, c->nested.len));
    mr_buf_char(out, ')');
    return true;
}

static bool end_operand(struct class *c)
{
    mr_buf_str(&c->operands, MR_STR("(?="));
    if (!put_operand(c, &c->operands))
        return false;
    mr_buf_char(&c->operands, ')');
    c->plain.len = c->nested.len = 0;
    c->composed = true;
    return true;
}

static bool put_class(const struct class *c, bool negated, struct mr_buf *out)
{
    if (!c->composed) {
        mr_buf_printf(out, "[%s" MR_STR_FMT "]", negated ? "^" : "", MR_STR_ARG(mr_buf_view(&c->plain)));
        return true;
    }
    mr_buf_str(out, negated ? MR_STR("(?:(?!") : MR_STR("(?:"));
    mr_buf_str(out, mr_buf_view(&c->operands));
    bool ok = put_operand(c, out);
    mr_buf_str(out, negated ? MR_STR(")(?s:.))") : MR_STR(")"));
    return ok;
}

static bool class_at(struct mr_str s, size_t *at, unsigned depth, struct mr_buf *out);

/* Members up to the end of the class; *at is then past its ]. */
static bool read_members(struct mr_str s, size_t *at, unsigned depth, struct class *c)
{
    for (bool first = true;; first = false) {
        if (*at >= s.len)
            return false;
        char ch = s.ptr[*at];
        size_t posix = ch == '[' ? posix_bracket(s, *at) : 0;
        if (ch == ']' && !first) {
            ++*at;
            return true;
        } else if (ch == '\\') {
            *at += escape(s, *at, true, &c->plain);
        } else if (posix > 0) {
            mr_buf_add(&c->plain, s.ptr + *at, posix);
            *at += posix;
        } else if (ch == '[') {
            mr_buf_char(&c->nested, '|');
            c->composed = true;
            if (!class_at(s, at, depth + 1, &c->nested))
                return false;
        } else if (ch == '&' && *at + 1 < s.len && s.ptr[*at + 1] == '&') {
            *at += 2;
            if (!end_operand(c))
                return false;
        } else {
            if (ch == '^' && c->plain.len == 0)
                mr_buf_char(&c->plain, '\\');
            mr_buf_char(&c->plain, ch);
            ++*at;
        }
    }
}

/* The class whose [ is at *at, appended; false: there is no such class. */
static bool class_at(struct mr_str s, size_t *at, unsigned depth, struct mr_buf *out)
{
    struct class c = {MR_BUF_INIT, MR_BUF_INIT, MR_BUF_INIT, false};
    bool ok = depth < CLASS_DEPTH_MAX;

    ++*at;
    bool negated = *at < s.len && s.ptr[*at] == '^';
    *at += negated;
    ok = ok && read_members(s, at, depth, &c) && put_class(&c, negated, out);
    mr_buf_release(&c.plain);
    mr_buf_release(&c.nested);
    mr_buf_release(&c.operands);
    return ok;
}

bool regex_from_java(struct mr_str s, struct mr_buf *out)
{
    for (size_t at = 0; at < s.len;) {
        char c = s.ptr[at];
        if (c == '\\') {
            at += escape(s, at, false, out);
        } else if (c == '(' && at + 1 < s.len && s.ptr[at + 1] == '*') {
            return false;
        } else if (c == '[') {
            if (!class_at(s, &at, 0, out))
                return false;
        } else {
            mr_buf_char(out, c);
            at++;
        }
    }
    return mr_buf_ok(out);
}
