/* sql/parse_interval.c - interval literals: INTERVAL '2' DAY, INTERVAL '1 06:30' DAY TO MINUTE. */
#include "sql/parse.h"

#include "sql/timetext.h"

/* The units of a literal, the large ones first; those of one kind are neighbours. */
static const struct unit {
    enum sql_keyword keyword;
    bool months;
    int64_t size;   /* ns, or months */
    char separator; /* before this unit in a literal of several; '\0': never the end of a range */
} units[] = {
    {SQL_KW_YEAR, true, 12, '\0'},
    {SQL_KW_MONTH, true, 1, '-'},
    {SQL_KW_WEEK, false, 7 * SQL_NS_DAY, '\0'},
    {SQL_KW_DAY, false, SQL_NS_DAY, '\0'},
    {SQL_KW_HOUR, false, SQL_NS_HOUR, ' '},
    {SQL_KW_MINUTE, false, SQL_NS_MINUTE, ':'},
    {SQL_KW_SECOND, false, SQL_NS_SECOND, ':'},
};

/* The unit named by the next word, which is taken; NULL for another word. */
static const struct unit *take_unit(struct parser *p)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(units); i++) {
        if (parse_take(p, units[i].keyword))
            return &units[i];
    }
    return NULL;
}

/* digits [. digits], times the unit; a fraction only where the unit has parts of its own */
static bool unsigned_value(struct mr_str s, const struct unit *unit, int64_t *out)
{
    size_t dot = mr_str_find(s, '.', 0);
    struct mr_str whole = mr_str_slice(s, 0, dot), part = mr_str_slice(s, dot + 1, s.len);
    int64_t a, b = 0, power = 1;
    if (whole.len == 0 || whole.ptr[0] == '+' || whole.ptr[0] == '-' || !mr_str_to_i64(whole, &a))
        return false;
    if (dot < s.len) {
        if (unit->months || part.len == 0 || part.len > 9 || part.ptr[0] == '+' || part.ptr[0] == '-' ||
            !mr_str_to_i64(part, &b))
            return false;
        for (size_t i = 0; i < part.len; i++)
            power *= 10;
    }
    int64_t fraction = (int64_t)((__int128)b * unit->size / power);
    return !__builtin_mul_overflow(a, unit->size, out) && !__builtin_add_overflow(*out, fraction, out);
}

/* [+-] the values of the units from first to last with their separators between; only the last may have a
 * fraction */
static bool interval_value(struct mr_str s, const struct unit *first, const struct unit *last, int64_t *out)
{
    bool minus = s.len > 0 && s.ptr[0] == '-';
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = mr_str_slice(s, 1, s.len);
    *out = 0;
    for (const struct unit *u = first; u <= last; u++) {
        size_t end = u < last ? mr_str_find(s, u[1].separator, 0) : s.len;
        struct mr_str value = mr_str_slice(s, 0, end);
        int64_t part;
        if ((u < last && (end == s.len || mr_str_find(value, '.', 0) < value.len)) ||
            !unsigned_value(value, u, &part) || __builtin_add_overflow(*out, part, out))
            return false;
        s = mr_str_slice(s, end + 1, s.len);
    }
    *out = minus ? -*out : *out;
    return true;
}

/* INTERVAL [sign] 'n' unit [TO unit] */
struct ast_expr *parse_interval(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_INTERVAL, pos, pos);
    struct mr_str text;
    if (e == NULL)
        return NULL;
    p->at++;
    bool minus = parse_take_symbol(p, '-');
    if (!minus)
        parse_take_symbol(p, '+');
    size_t at = parse_peek(p, 0)->pos;
    if (!parse_string(p, &text))
        return NULL;
    const struct unit *first = take_unit(p), *last = first;
    if (first == NULL)
        return parse_unexpected(p);
    if (parse_take(p, SQL_KW_TO)) {
        size_t to = p->at;
        last = take_unit(p);
        if (last == NULL || last <= first || last->months != first->months || last->separator == '\0' ||
            first->keyword == SQL_KW_WEEK) {
            p->at = to;
            return parse_unexpected(p);
        }
    }
    if (!interval_value(text, first, last, &e->i64) ||
        (first->months && (e->i64 > INT32_MAX || e->i64 < INT32_MIN))) {
        sql_fail(p->cx, at, "'" MR_STR_FMT "' is not a valid interval literal", MR_STR_ARG(text));
        return NULL;
    }
    if (minus)
        e->i64 = -e->i64;
    e->months = first->months;
    return parse_done(p, e);
}
