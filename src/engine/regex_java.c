#include <ctype.h>

#include "engine/regex.h"

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

bool regex_from_java(struct mr_str s, struct mr_buf *out)
{
    bool in_class = false;

    for (size_t at = 0; at < s.len;) {
        char c = s.ptr[at];
        if (c == '\\') {
            at += escape(s, at, in_class, out);
            continue;
        }
        if (!in_class && c == '(' && at + 1 < s.len && s.ptr[at + 1] == '*')
            return false;
        if (c == '[' && !in_class) {
            in_class = true;
            /* a ] in the first place, after ^ too, is a member */
            mr_buf_char(out, c);
            at++;
            if (at < s.len && s.ptr[at] == '^')
                mr_buf_char(out, s.ptr[at++]);
            if (at < s.len && s.ptr[at] == ']')
                mr_buf_char(out, s.ptr[at++]);
            continue;
        }
        if (c == ']')
            in_class = false;
        mr_buf_char(out, c);
        at++;
    }
    return mr_buf_ok(out);
}
