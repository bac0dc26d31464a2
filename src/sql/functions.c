/* sql/functions.c - overload resolution over one table, functions.def.
 *
 * A signature is a string of type letters: b boolean, i integer, l bigint, d double, s varchar, D date, T
 * time, t timestamp, n interval day to second, y interval year to month, u unknown; E and F stand for any one
 * type, [x] is an array of x and {x} a time series of x. x* means one or more x, last only. The overload with
 * the cheapest coercions wins, the first of several.
 */
#include "sql/bound.h"

static const struct function functions[] = {
#define SQL_FUNCTION(name, args, result, class, pattern) {#name, args, result, FUNCTION_##class, pattern},
#include "sql/functions.def"
#undef SQL_FUNCTION
};

struct unify {
    struct sql_context *cx;
    const struct sql_type *vars[2]; /* E, F */
};

static enum sql_kind letter_kind(char c)
{
    switch (c) {
    case 'b':
        return SQL_BOOLEAN;
    case 'i':
        return SQL_INTEGER;
    case 'l':
        return SQL_BIGINT;
    case 'd':
        return SQL_DOUBLE;
    case 's':
        return SQL_VARCHAR;
    case 'D':
        return SQL_DATE;
    case 'T':
        return SQL_TIME;
    case 't':
        return SQL_TIMESTAMP;
    case 'n':
        return SQL_INTERVAL_DAY;
    case 'y':
        return SQL_INTERVAL_YEAR;
    default:
        return SQL_UNKNOWN;
    }
}

/* One term of a signature; returns what follows it. */
static const char *term_end(const char *sig)
{
    if (*sig != '[' && *sig != '{')
        return sig + 1;
    return term_end(sig + 1) + 1; /* the closing bracket */
}

/* Binds variables: the price of giving `type` to the term, -1 when it does not fit. */
static int unify_term(struct unify *u, const char *sig, const struct sql_type *type)
{
    if (*sig == 'E' || *sig == 'F') {
        const struct sql_type **var = &u->vars[*sig - 'E'];
        if (*var == NULL) {
            *var = type;
            return 0;
        }
        const struct sql_type *common = sql_common_type(u->cx, *var, type);
        if (common == NULL)
            return -1;
        *var = common;
        return sql_type_equal(common, type) ? 0 : 1;
    }
    if (*sig == '[' || *sig == '{') {
        if (type->kind == SQL_UNKNOWN)
            return 1;
        if (type->kind != (*sig == '[' ? SQL_ARRAY : SQL_TIMESERIES))
            return -1;
        return unify_term(u, sig + 1, type->elem);
    }
    return sql_coercion(type, sql_scalar(letter_kind(*sig)));
}

static const struct sql_type *term_type(struct unify *u, const char *sig)
{
    if (*sig == 'E' || *sig == 'F') {
        const struct sql_type *var = u->vars[*sig - 'E'];
        return var != NULL ? var : sql_scalar(SQL_UNKNOWN);
    }
    if (*sig != '[' && *sig != '{')
        return sql_scalar(letter_kind(*sig));
    const struct sql_type *elem = term_type(u, sig + 1);
    if (elem == NULL)
        return NULL;
    return *sig == '[' ? sql_array_of(u->cx, elem) : sql_series_of(u->cx, elem);
}

/* Price of calling f with the arguments; -1 when it does not fit. */
static int match(struct unify *u, const struct function *f, struct bound_expr **args, size_t nargs)
{
    const char *sig = f->args;
    int sum = 0;
    size_t i = 0;
    u->vars[0] = u->vars[1] = NULL;
    while (*sig != '\0') {
        const char *end = term_end(sig);
        bool repeat = *end == '*';
        if (i == nargs)
            return -1;
        do {
            int cost = unify_term(u, sig, args[i++]->type);
            if (cost < 0)
                return -1;
            sum += cost;
        } while (repeat && i < nargs);
        sig = end + repeat;
    }
    return i == nargs ? sum : -1;
}

static void term_text(const char *sig, struct mr_buf *out)
{
    if (*sig == 'E' || *sig == 'F') {
        mr_buf_char(out, *sig == 'E' ? 'T' : 'U');
    } else if (*sig == '[' || *sig == '{') {
        mr_buf_str(out, *sig == '[' ? MR_STR("array(") : MR_STR("timeseries("));
        term_text(sig + 1, out);
        mr_buf_char(out, ')');
    } else {
        static const char *const texts[] = {"unknown",
                                            "boolean",
                                            "integer",
                                            "bigint",
                                            "double",
                                            "varchar",
                                            "date",
                                            "time",
                                            "timestamp",
                                            "interval day to second",
                                            "interval year to month"};
        mr_buf_str(out, mr_str_of(texts[letter_kind(*sig)]));
    }
}

void function_signature(const struct function *f, struct mr_buf *out)
{
    mr_buf_str(out, mr_str_of(f->name));
    mr_buf_char(out, '(');
    for (const char *sig = f->args; *sig != '\0';) {
        const char *end = term_end(sig);
        if (sig != f->args)
            mr_buf_str(out, MR_STR(", "));
        term_text(sig, out);
        if (*end == '*') {
            mr_buf_str(out, MR_STR(", ..."));
            end++;
        }
        sig = end;
    }
    mr_buf_char(out, ')');
}

void function_result(const struct function *f, struct mr_buf *out)
{
    term_text(f->result, out);
}

const struct function *function_at(size_t i)
{
    return i < MR_ARRAY_LEN(functions) ? &functions[i] : NULL;
}

/* Unexpected parameters (a, b) for function f. Expected: f(x), f(y) */
static void no_match(struct sql_context *cx, size_t pos, struct mr_str name, struct bound_expr **args,
                     size_t nargs)
{
    struct mr_buf buf = MR_BUF_INIT;
    mr_buf_str(&buf, MR_STR("Unexpected parameters ("));
    for (size_t i = 0; i < nargs; i++) {
        if (i > 0)
            mr_buf_str(&buf, MR_STR(", "));
        mr_buf_str(&buf, check_type_text(cx, args[i]->type));
    }
    mr_buf_str(&buf, MR_STR(") for function "));
    const char *separator = "";
    for (size_t i = 0; i < MR_ARRAY_LEN(functions); i++) {
        if (!mr_str_ieq(name, mr_str_of(functions[i].name)))
            continue;
        if (*separator == '\0')
            mr_buf_printf(&buf, "%s. Expected: ", functions[i].name);
        mr_buf_str(&buf, mr_str_of(separator));
        function_signature(&functions[i], &buf);
        separator = ", ";
    }
    if (mr_buf_ok(&buf))
        sql_fail(cx, pos, MR_STR_FMT, MR_STR_ARG(mr_buf_view(&buf)));
    else
        sql_fail_memory(cx);
    mr_buf_release(&buf);
}

static bool coerce_args(struct unify *u, const struct function *f, struct bound_expr **args, size_t nargs)
{
    const char *sig = f->args;
    for (size_t i = 0; i < nargs; i++) {
        const char *end = term_end(sig);
        args[i] = sql_coerce(u->cx, args[i], term_type(u, sig));
        if (args[i] == NULL)
            return false;
        if (*end != '*')
            sig = end;
    }
    return true;
}

bool function_exists(struct mr_str name, enum function_class *class)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(functions); i++) {
        if (mr_str_ieq(name, mr_str_of(functions[i].name))) {
            *class = functions[i].class;
            return true;
        }
    }
    return false;
}

const struct function *function_find(struct sql_context *cx, size_t pos, struct mr_str name,
                                     struct bound_expr **args, size_t nargs, const struct sql_type **result)
{
    const struct function *best = NULL;
    struct unify u = {cx, {NULL, NULL}};
    int best_cost = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(functions); i++) {
        if (!mr_str_ieq(name, mr_str_of(functions[i].name)))
            continue;
        int cost = match(&u, &functions[i], args, nargs);
        if (cost >= 0 && (best == NULL || cost < best_cost)) {
            best = &functions[i];
            best_cost = cost;
        }
    }
    if (cx->status != MR_OK)
        return NULL;
    if (best == NULL) {
        no_match(cx, pos, name, args, nargs);
        return NULL;
    }
    match(&u, best, args, nargs);
    if (!coerce_args(&u, best, args, nargs))
        return NULL;
    *result = term_type(&u, best->result);
    return *result != NULL ? best : NULL;
}
