/* fuzz/lib/gen_expr.c - expressions of a type: literals, columns, operators, and the functions of the
 * binder's own table whose result fits. */
#include "gen_form.h"

#include "sql/bound.h"

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static const char *type_words(const char *type)
{
    static const char *const words[][2] = {{"b", "boolean"},
                                           {"i", "integer"},
                                           {"l", "bigint"},
                                           {"d", "double"},
                                           {"s", "varchar"},
                                           {"D", "date"},
                                           {"T", "time"},
                                           {"t", "timestamp"},
                                           {"n", "interval day to second"},
                                           {"y", "interval year to month"},
                                           {"[l]", "array(bigint)"},
                                           {"[i]", "array(integer)"},
                                           {"[d]", "array(double)"},
                                           {"[s]", "array(varchar)"},
                                           {"[t]", "array(timestamp)"},
                                           {"[b]", "array(boolean)"}};
    for (size_t i = 0; i < MR_ARRAY_LEN(words); i++) {
        if (same(words[i][0], type))
            return words[i][1];
    }
    return NULL;
}

/* ---- leaves ---- */

static const char *const booleans[] = {"true", "false"};
static const char *const integers[] = {
    "0", "1", "-1", "2", "3", "7", "10", "64", "100", "2147483647", "-2147483647 - 1"};
static const char *const bigints[] = {"BIGINT '5'", "9223372036854775807", "(-9223372036854775807 - 1)",
                                      "3000000000", "BIGINT '0'",          "BIGINT '-1'"};
static const char *const doubles[] = {"0.5",        "1e0",         "-2.25", "0e0",    "nan()",
                                      "infinity()", "-infinity()", "1e308", "1e-300", "-0.0"};
static const char *const texts[] = {
    "'a'",     "''",           "'2024-02-29'",   "'2024-02-29 12:30:00.000000001'",
    "'12'",    "'%Y-%m-%d'",   "'yyyy-MM-dd'",   "'day'",
    "'month'", "'(a)|(b)'",    "'$1'",           "'é😀'",
    "'1d'",    "'true'",       "'[a-z]+'",       "'a,b,,c'",
    "'\\'",    "'%_'",         "'press-1'",      "'2024-02-29T12:30:00Z'",
    "chr(0)",  "U&'a\\0000b'", "'[a-z&&[^b]]+'", "cast('abc' AS varchar(2))"};
static const char *const dates[] = {"DATE '2024-02-29'", "DATE '1970-01-01'", "DATE '2262-04-11'",
                                    "DATE '1999-12-31'"};
static const char *const times[] = {"TIME '12:30'", "TIME '00:00'", "TIME '23:59:59.999999999'"};
static const char *const stamps[] = {"TIMESTAMP '2024-02-29 12:30:00.000000001'",
                                     "from_milliseconds(0)",
                                     "now()",
                                     "TIMESTAMP '2262-04-11 23:47:16.854775807'",
                                     "TIMESTAMP '1677-09-21 00:12:44'",
                                     "TIMESTAMP '1970-01-01 00:03'",
                                     "ago(1h)"};
static const char *const durations[] = {
    "1d", "0s", "1ns", "-(90m)", "INTERVAL '2' HOUR", "INTERVAL '1 02:03' DAY TO MINUTE", "100000d", "30s"};
static const char *const months[] = {
    "1month", "0y", "-(1year)", "INTERVAL '3' YEAR", "INTERVAL '1-6' YEAR TO MONTH", "2000y"};

static void literal(struct gen *g, const char *type)
{
    static const struct {
        char letter;
        const char *const *texts;
        size_t n;
    } pools[] = {
        {'b', booleans, MR_ARRAY_LEN(booleans)},   {'i', integers, MR_ARRAY_LEN(integers)},
        {'l', bigints, MR_ARRAY_LEN(bigints)},     {'d', doubles, MR_ARRAY_LEN(doubles)},
        {'s', texts, MR_ARRAY_LEN(texts)},         {'D', dates, MR_ARRAY_LEN(dates)},
        {'T', times, MR_ARRAY_LEN(times)},         {'t', stamps, MR_ARRAY_LEN(stamps)},
        {'n', durations, MR_ARRAY_LEN(durations)}, {'y', months, MR_ARRAY_LEN(months)},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(pools); i++) {
        if (pools[i].letter == *type) {
            gen_put(g, gen_choose(g, pools[i].texts, pools[i].n));
            return;
        }
    }
    gen_put(g, "NULL");
}

static void null_of(struct gen *g, const char *type)
{
    const char *words = type_words(type);
    if (words == NULL || gen_pick(g, 3) == 0)
        gen_put(g, "NULL");
    else
        mr_buf_printf(g->out, "CAST(NULL AS %s)", words);
}

static void inner_type(const char *type, char out[static 8])
{
    snprintf(out, 8, "%.*s", (int)strlen(type) - 2, type + 1);
}

/* ARRAY[a, b]; a series is a subquery or interpolation */
static void nested_leaf(struct gen *g, const char *type, unsigned levels)
{
    char elem[8];
    inner_type(type, elem);
    if (*type == '{') {
        mr_buf_printf(g->out, "(SELECT create_time_series(p.w, p.x) FROM (VALUES (from_nanoseconds(%u), ",
                      gen_pick(g, 5));
        gen_expr(g, elem, 0);
        mr_buf_printf(g->out, "), (from_milliseconds(%u), ", gen_pick(g, 5));
        gen_expr(g, elem, 0);
        gen_put(g, ")) AS p(w, x))");
        return;
    }
    gen_put(g, "ARRAY[");
    unsigned n = gen_pick(g, 4);
    for (unsigned i = 0; i < n; i++) {
        gen_put(g, i > 0 ? ", " : "");
        gen_expr(g, elem, levels > 0 ? levels - 1 : 0);
    }
    gen_put(g, "]");
}

static bool column(struct gen *g, const char *type)
{
    size_t start = g->ncolumns > 0 ? gen_pick(g, (unsigned)g->ncolumns) : 0;
    for (size_t i = 0; i < g->ncolumns; i++) {
        const struct gen_column *c = &g->columns[(start + i) % g->ncolumns];
        if (same(c->type, type)) {
            gen_put(g, c->name);
            return true;
        }
    }
    return false;
}

static void leaf(struct gen *g, const char *type)
{
    unsigned kind = gen_pick(g, 8);
    if (kind == 7)
        null_of(g, type);
    else if (kind > 3 || !column(g, type)) {
        if (*type == '[' || *type == '{')
            nested_leaf(g, type, 0);
        else
            literal(g, type);
    }
}

/* ---- functions ---- */

/* The type of a term of a signature where E is `e` and F is `f`. */
static void term_of(const char *sig, const char *end, const char *e, const char *f, char out[static 16])
{
    size_t n = 0;
    for (; sig < end && n < 12; sig++) {
        const char *text = *sig == 'E' ? e : *sig == 'F' ? f : NULL;
        n += (size_t)snprintf(out + n, 16 - n, "%.*s", text != NULL ? 3 : 1, text != NULL ? text : sig);
    }
    out[n] = '\0';
}

static const char *term_end(const char *sig)
{
    return *sig != '[' && *sig != '{' ? sig + 1 : term_end(sig + 1) + 1;
}

/* Whether the overload can give the type; E's type in e. */
static bool gives(const struct function *f, const char *type, char e[static 8])
{
    const char *r = f->result;
    if (same(r, "E")) {
        snprintf(e, 8, "%s", type);
        return *type != '{' || strchr(f->args, '{') == NULL;
    }
    if (same(r, "[E]") || same(r, "{E}")) {
        if (*r != *type)
            return false;
        inner_type(type, e);
        return true;
    }
    return same(r, type);
}

static void arguments(struct gen *g, const struct function *f, const char *e, unsigned levels)
{
    const char *other = gen_type(g);
    for (const char *sig = f->args; *sig != '\0';) {
        const char *end = term_end(sig);
        unsigned times_ = *end == '*' ? 1 + gen_pick(g, 3) : 1;
        char type[16];
        term_of(sig, end, e, strlen(other) > 1 ? "l" : other, type);
        for (unsigned i = 0; i < times_; i++) {
            gen_put(g, sig != f->args || i > 0 ? ", " : "");
            gen_expr(g, type, levels);
        }
        sig = *end == '*' ? end + 1 : end;
    }
}

struct wanted {
    const char *type;
    bool aggregate, window;
};

static bool fits(const struct function *f, const struct wanted *w, char e[static 8])
{
    bool right = f->class == FUNCTION_AGGREGATE ? w->aggregate
                 : f->class == FUNCTION_WINDOW  ? w->window
                                                : !w->aggregate && !w->window;
    return right && gives(f, w->type, e);
}

/* Any of the overloads that give the type. */
static const struct function *function_giving(struct gen *g, const char *type, bool aggregate, bool window,
                                              char e[static 8])
{
    const struct wanted w = {type, aggregate, window};
    const struct function *f;
    unsigned n = 0;
    for (size_t i = 0; (f = function_at(i)) != NULL; i++)
        n += fits(f, &w, e);
    if (n == 0)
        return NULL;
    unsigned chosen = (gen_pick(g, 256) * 256 + gen_pick(g, 256)) % n;
    for (size_t i = 0; (f = function_at(i)) != NULL; i++) {
        if (fits(f, &w, e) && chosen-- == 0)
            break;
    }
    if (f != NULL && strchr(f->result, 'E') == NULL) { /* any type for E */
        const char *any = gen_type(g);
        snprintf(e, 8, "%s", strlen(any) > 1 ? "d" : any);
    }
    return f;
}

static bool call(struct gen *g, const char *type, unsigned levels)
{
    char e[8];
    const struct function *f = function_giving(g, type, false, false, e);
    if (f == NULL)
        return false;
    mr_buf_printf(g->out, "%s(", f->name);
    arguments(g, f, e, levels - 1);
    gen_put(g, ")");
    return true;
}

static void order_by(struct gen *g, const char *before)
{
    gen_put(g, before);
    gen_put(g, "ORDER BY ");
    gen_expr(g, gen_pick(g, 2) == 0 ? "l" : gen_type(g), 0);
    gen_put(g, gen_pick(g, 3) == 1 ? " DESC" : "");
}

static void frame(struct gen *g)
{
    static const char *const frames[] = {"",
                                         " ROWS UNBOUNDED PRECEDING",
                                         " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                                         " RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
                                         " ROWS BETWEEN 2 FOLLOWING AND 3 FOLLOWING",
                                         " RANGE 1 PRECEDING",
                                         " RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING",
                                         " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
                                         " RANGE BETWEEN 1d PRECEDING AND CURRENT ROW",
                                         " RANGE BETWEEN 1month PRECEDING AND 1y FOLLOWING"};
    gen_put(g, CHOOSE(g, frames));
}

static void over(struct gen *g)
{
    gen_put(g, " OVER (");
    if (gen_pick(g, 3) == 1) {
        gen_put(g, "PARTITION BY ");
        gen_expr(g, gen_type(g), 0);
        gen_put(g, " ");
    }
    if (gen_pick(g, 3) != 1) {
        order_by(g, "");
        frame(g);
    }
    gen_put(g, ")");
}

/* An aggregate or, with `window`, a window function of either class. */
static bool gather(struct gen *g, const char *type, unsigned levels, bool window)
{
    char e[8];
    bool pure = window && gen_pick(g, 2) == 1;
    const struct function *f = function_giving(g, type, !pure, pure, e);
    if (f == NULL)
        return false;
    bool windows = g->windows, aggregates = g->aggregates;
    g->windows = g->aggregates = false;
    mr_buf_printf(g->out, "%s(", f->name);
    bool none = f->args[0] == '\0';
    if (none && same(f->name, "count"))
        gen_put(g, "*");
    if (!none && !pure && gen_pick(g, 6) == 1)
        gen_put(g, "DISTINCT ");
    arguments(g, f, e, levels > 0 ? levels - 1 : 0);
    if (!none && !pure && gen_pick(g, 6) == 1)
        order_by(g, " ");
    gen_put(g, ")");
    if (!pure && gen_pick(g, 6) == 1) {
        gen_put(g, " FILTER (WHERE ");
        gen_expr(g, "b", 1);
        gen_put(g, ")");
    }
    if (pure && strlen(f->name) < 12 && strchr(f->args, 'E') != NULL && gen_pick(g, 3) == 1)
        gen_put(g, " IGNORE NULLS");
    if (window)
        over(g);
    g->windows = windows;
    g->aggregates = aggregates;
    return true;
}

/* ---- any of them ---- */

void gen_expr(struct gen *g, const char *type, unsigned levels)
{
    unsigned kind = levels == 0 || g->at == g->end || g->out->len > 2000 ? 0 : 1 + gen_pick(g, 11);
    if (kind == 1 && gen_pick(g, 64) == 63)
        type = gen_type(g); /* maybe wrong: the checker has to say so */
    bool written = false;
    if (kind > 3 && kind < 8)
        written = call(g, type, levels);
    else if (kind >= 8 && kind < 11)
        written = gen_form(g, type, type_words(type), levels - 1);
    else if (kind == 11 && g->windows && !g->lambda)
        written = gather(g, type, levels, true);
    if (written)
        return;
    if (*type == '[' && levels > 0 && kind == 3)
        nested_leaf(g, type, levels);
    else
        leaf(g, type);
}

void gen_aggregate(struct gen *g, const char *type)
{
    if (!gather(g, type, 3, false)) {
        gen_put(g, "max(");
        gen_expr(g, type, 2);
        gen_put(g, ")");
    }
}
