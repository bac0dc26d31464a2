/* sql/check_operator.c - operators over types: comparison, arithmetic, ranges, patterns, CASE, CAST. */
#include "sql/bound.h"

#include "sql/timetext.h"

static void no_operator(struct sql_context *cx, size_t pos, const char *op, const struct sql_type *a,
                        const struct sql_type *b)
{
    struct mr_str x = check_type_text(cx, a), y = check_type_text(cx, b);
    sql_fail(cx, pos, "'%s' cannot be applied to " MR_STR_FMT ", " MR_STR_FMT, op, MR_STR_ARG(x),
             MR_STR_ARG(y));
}

/* Operand kinds, result, pattern. First fit after coercion of numbers. */
static const struct {
    char op;
    enum sql_kind a, b, result;
    const char *pattern;
} arith[] = {
    {'+', SQL_INTEGER, SQL_INTEGER, SQL_INTEGER, "mr_add_i32($1, $2)"},
    {'-', SQL_INTEGER, SQL_INTEGER, SQL_INTEGER, "mr_sub_i32($1, $2)"},
    {'*', SQL_INTEGER, SQL_INTEGER, SQL_INTEGER, "mr_mul_i32($1, $2)"},
    {'/', SQL_INTEGER, SQL_INTEGER, SQL_INTEGER, "mr_div_i32($1, $2)"},
    {'%', SQL_INTEGER, SQL_INTEGER, SQL_INTEGER, "mr_mod_i32($1, $2)"},
    {'+', SQL_BIGINT, SQL_BIGINT, SQL_BIGINT, "mr_add_i64($1, $2)"},
    {'-', SQL_BIGINT, SQL_BIGINT, SQL_BIGINT, "mr_sub_i64($1, $2)"},
    {'*', SQL_BIGINT, SQL_BIGINT, SQL_BIGINT, "mr_mul_i64($1, $2)"},
    {'/', SQL_BIGINT, SQL_BIGINT, SQL_BIGINT, "mr_div_i64($1, $2)"},
    {'%', SQL_BIGINT, SQL_BIGINT, SQL_BIGINT, "mr_mod_i64($1, $2)"},
    {'+', SQL_DOUBLE, SQL_DOUBLE, SQL_DOUBLE, "($1 + $2)"},
    {'-', SQL_DOUBLE, SQL_DOUBLE, SQL_DOUBLE, "($1 - $2)"},
    {'*', SQL_DOUBLE, SQL_DOUBLE, SQL_DOUBLE, "($1 * $2)"},
    {'/', SQL_DOUBLE, SQL_DOUBLE, SQL_DOUBLE, "($1 / $2)"},
    {'%', SQL_DOUBLE, SQL_DOUBLE, SQL_DOUBLE, "mr_mod_f64($1, $2)"},
    {'+', SQL_TIMESTAMP, SQL_INTERVAL_DAY, SQL_TIMESTAMP, "mr_ts_add($1, $2)"},
    {'-', SQL_TIMESTAMP, SQL_INTERVAL_DAY, SQL_TIMESTAMP, "mr_ts_sub($1, $2)"},
    {'+', SQL_TIMESTAMP, SQL_INTERVAL_YEAR, SQL_TIMESTAMP, "mr_ts_add_months($1, $2)"},
    {'-', SQL_TIMESTAMP, SQL_INTERVAL_YEAR, SQL_TIMESTAMP, "mr_ts_sub_months($1, $2)"},
    {'-', SQL_TIMESTAMP, SQL_TIMESTAMP, SQL_INTERVAL_DAY, "mr_ts_diff($1, $2)"},
    {'+', SQL_DATE, SQL_INTERVAL_DAY, SQL_DATE, "mr_date_add($1, $2)"},
    {'-', SQL_DATE, SQL_INTERVAL_DAY, SQL_DATE, "mr_date_sub($1, $2)"},
    {'+', SQL_DATE, SQL_INTERVAL_YEAR, SQL_DATE, "mr_date_add_months($1, $2)"},
    {'-', SQL_DATE, SQL_INTERVAL_YEAR, SQL_DATE, "mr_date_sub_months($1, $2)"},
    {'-', SQL_DATE, SQL_DATE, SQL_INTERVAL_DAY, "mr_date_diff_ival($1, $2)"},
    {'+', SQL_TIME, SQL_INTERVAL_DAY, SQL_TIME, "mr_time_add($1, $2)"},
    {'-', SQL_TIME, SQL_INTERVAL_DAY, SQL_TIME, "mr_time_sub($1, $2)"},
    {'-', SQL_TIME, SQL_TIME, SQL_INTERVAL_DAY, "mr_ival_sub($1, $2)"},
    {'+', SQL_INTERVAL_DAY, SQL_INTERVAL_DAY, SQL_INTERVAL_DAY, "mr_ival_add($1, $2)"},
    {'-', SQL_INTERVAL_DAY, SQL_INTERVAL_DAY, SQL_INTERVAL_DAY, "mr_ival_sub($1, $2)"},
    {'*', SQL_INTERVAL_DAY, SQL_BIGINT, SQL_INTERVAL_DAY, "mr_ival_mul_i64($1, $2)"},
    {'*', SQL_INTERVAL_DAY, SQL_DOUBLE, SQL_INTERVAL_DAY, "mr_ival_mul_f64($1, $2)"},
    {'/', SQL_INTERVAL_DAY, SQL_DOUBLE, SQL_INTERVAL_DAY, "mr_ival_div_f64($1, $2)"},
    {'+', SQL_INTERVAL_YEAR, SQL_INTERVAL_YEAR, SQL_INTERVAL_YEAR, "mr_ivaly_add($1, $2)"},
    {'-', SQL_INTERVAL_YEAR, SQL_INTERVAL_YEAR, SQL_INTERVAL_YEAR, "mr_ivaly_sub($1, $2)"},
    {'*', SQL_INTERVAL_YEAR, SQL_BIGINT, SQL_INTERVAL_YEAR, "mr_ivaly_mul_i64($1, $2)"},
    {'*', SQL_INTERVAL_YEAR, SQL_DOUBLE, SQL_INTERVAL_YEAR, "mr_ivaly_mul_f64($1, $2)"},
    {'/', SQL_INTERVAL_YEAR, SQL_DOUBLE, SQL_INTERVAL_YEAR, "mr_ivaly_div_f64($1, $2)"},
};

struct bound_expr *check_arith_of(struct sql_context *cx, size_t pos, uint8_t op, struct bound_expr *a,
                                  struct bound_expr *b)
{
    size_t best = MR_ARRAY_LEN(arith);
    int best_cost = 0;
    bool turned = false;
    for (size_t i = 0; i < MR_ARRAY_LEN(arith); i++) {
        if (arith[i].op != (char)op)
            continue;
        const struct sql_type *x = sql_scalar(arith[i].a), *y = sql_scalar(arith[i].b);
        bool commutes = (op == '+' || op == '*') && arith[i].a != arith[i].b;
        for (int turn = 0; turn <= (commutes ? 1 : 0); turn++) {
            int ca = sql_coercion(turn ? b->type : a->type, x),
                cb = sql_coercion(turn ? a->type : b->type, y);
            if (ca < 0 || cb < 0 || (best < MR_ARRAY_LEN(arith) && ca + cb >= best_cost))
                continue;
            best = i;
            best_cost = ca + cb;
            turned = turn != 0;
        }
    }
    if (best == MR_ARRAY_LEN(arith)) {
        no_operator(cx, pos, (char[]){(char)op, '\0'}, a->type, b->type);
        return NULL;
    }
    struct bound_expr *x = sql_coerce(cx, turned ? b : a, sql_scalar(arith[best].a));
    struct bound_expr *y = x != NULL ? sql_coerce(cx, turned ? a : b, sql_scalar(arith[best].b)) : NULL;
    return sql_fold(cx, bound_call2(cx, pos, sql_scalar(arith[best].result), arith[best].pattern, x, y));
}

struct bound_expr *check_arith(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *a = check_expr(c, e->a), *b = a != NULL ? check_expr(c, e->b) : NULL;
    return b != NULL ? check_arith_of(c->cx, e->pos, e->op, a, b) : NULL;
}

struct bound_expr *check_negate(struct check *c, const struct ast_expr *e)
{
    static const struct {
        enum sql_kind kind;
        const char *pattern;
    } negations[] = {{SQL_INTEGER, "mr_neg_i32($1)"},
                     {SQL_BIGINT, "mr_neg_i64($1)"},
                     {SQL_DOUBLE, "(-$1)"},
                     {SQL_INTERVAL_DAY, "mr_ival_neg($1)"},
                     {SQL_INTERVAL_YEAR, "mr_ivaly_neg($1)"}};
    struct bound_expr *a = check_expr(c, e->a);
    if (a == NULL)
        return NULL;
    if (a->type->kind == SQL_UNKNOWN)
        a = sql_coerce(c->cx, a, sql_scalar(SQL_INTEGER));
    for (size_t i = 0; a != NULL && i < MR_ARRAY_LEN(negations); i++) {
        if (a->type->kind == negations[i].kind)
            return e->op == '+'
                       ? a
                       : sql_fold(c->cx, bound_call1(c->cx, e->pos, a->type, negations[i].pattern, a));
    }
    if (a != NULL) {
        struct mr_str type = check_type_text(c->cx, a->type);
        sql_fail(c->cx, e->pos, "Unary '%c' cannot be applied to " MR_STR_FMT, e->op, MR_STR_ARG(type));
    }
    return NULL;
}

/* Array operand of ||: an element becomes an array of one. */
static struct bound_expr *as_array(struct sql_context *cx, struct bound_expr *e, const struct sql_type *array)
{
    if (e->type->kind == SQL_ARRAY || (e->kind == BOUND_CONST && e->null))
        return sql_coerce(cx, e, array);
    struct bound_expr *one = bound_new(cx, BOUND_ARRAY, e->pos, array, 1);
    if (one == NULL || (one->args[0] = sql_coerce(cx, e, array->elem)) == NULL)
        return NULL;
    return one;
}

static const struct sql_type *concat_type(struct sql_context *cx, const struct sql_type *a,
                                          const struct sql_type *b)
{
    const struct sql_type *s = sql_scalar(SQL_VARCHAR);
    if (a->kind != SQL_ARRAY && b->kind != SQL_ARRAY)
        return sql_coercion(a, s) >= 0 && sql_coercion(b, s) >= 0 ? s : NULL;
    const struct sql_type *both = sql_common_type(cx, a, b);
    if (both != NULL)
        return both;
    const struct sql_type *elem =
        a->kind == SQL_ARRAY ? sql_common_type(cx, a->elem, b) : sql_common_type(cx, a, b->elem);
    return elem != NULL ? sql_array_of(cx, elem) : NULL;
}

struct bound_expr *check_concat(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *out = bound_new(c->cx, BOUND_CALL, e->pos, sql_scalar(SQL_VARCHAR), e->nitems);
    const struct sql_type *type = NULL;
    for (size_t i = 0; out != NULL && i < e->nitems; i++) {
        if ((out->args[i] = check_expr(c, e->items[i])) == NULL)
            return NULL;
        const struct sql_type *next =
            i == 0 ? out->args[0]->type : concat_type(c->cx, type, out->args[i]->type);
        if (next == NULL) {
            no_operator(c->cx, e->pos, "||", type, out->args[i]->type);
            return NULL;
        }
        type = next;
    }
    if (out == NULL)
        return NULL;
    MR_ASSERT(type != NULL); /* the parser makes no concatenation without operands */
    bool array = type->kind == SQL_ARRAY;
    out->type = array ? type : sql_scalar(SQL_VARCHAR);
    out->pattern = array ? "!list_concat" : "mr_concat($*)";
    for (size_t i = 0; i < e->nitems; i++) {
        out->args[i] =
            array ? as_array(c->cx, out->args[i], type) : sql_coerce(c->cx, out->args[i], out->type);
        if (out->args[i] == NULL)
            return NULL;
    }
    return out;
}

static const char *const compare_texts[] = {"=", "<>", "<", "<=", ">", ">="};

/* Both to their common type; NULL type: not comparable with op. */
static const struct sql_type *comparable(struct sql_context *cx, struct bound_expr *a, struct bound_expr *b,
                                         bool ordered)
{
    const struct sql_type *t = sql_common_type(cx, a->type, b->type);
    if (t == NULL || !(ordered ? sql_is_orderable(t) : sql_is_comparable(t)))
        return NULL;
    return t;
}

struct bound_expr *check_compare(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *a = check_expr(c, e->a), *b = a != NULL ? check_expr(c, e->b) : NULL;
    if (b == NULL)
        return NULL;
    bool distinct = e->kind == AST_DISTINCT;
    const struct sql_type *t = comparable(c->cx, a, b, !distinct && e->op > AST_NE);
    if (t == NULL) {
        no_operator(c->cx, e->pos, distinct ? "IS DISTINCT FROM" : compare_texts[e->op], a->type, b->type);
        return NULL;
    }
    a = sql_coerce(c->cx, a, t);
    b = a != NULL ? sql_coerce(c->cx, b, t) : NULL;
    if (b == NULL)
        return NULL;
    if (!distinct && e->op <= AST_NE && (t->kind == SQL_ROW || t->kind == SQL_ARRAY)) {
        struct bound_expr *same = check_equal(c->cx, e->pos, a, b);
        return e->op == AST_NE ? check_negated(c->cx, same) : same;
    }
    struct bound_expr *out = check_comparison(c->cx, e->pos, e->op, a, b);
    if (out != NULL && distinct) {
        out->kind = BOUND_DISTINCT;
        out->negated = e->negated;
    }
    return out;
}

struct bound_expr *check_between(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *out = bound_new(c->cx, BOUND_BETWEEN, e->pos, sql_scalar(SQL_BOOLEAN), 3);
    const struct ast_expr *operands[3] = {e->a, e->b, e->c};
    const struct sql_type *t = NULL;
    for (size_t i = 0; out != NULL && i < 3; i++) {
        if ((out->args[i] = check_expr(c, operands[i])) == NULL)
            return NULL;
    }
    if (out == NULL)
        return NULL;
    t = sql_common_type(c->cx, out->args[0]->type, out->args[1]->type);
    t = t != NULL ? sql_common_type(c->cx, t, out->args[2]->type) : NULL;
    if (t == NULL || !sql_is_orderable(t)) {
        struct mr_str x = check_type_text(c->cx, out->args[0]->type),
                      y = check_type_text(c->cx, out->args[1]->type),
                      z = check_type_text(c->cx, out->args[2]->type);
        sql_fail(c->cx, e->pos, "Cannot check if " MR_STR_FMT " is BETWEEN " MR_STR_FMT " and " MR_STR_FMT,
                 MR_STR_ARG(x), MR_STR_ARG(y), MR_STR_ARG(z));
        return NULL;
    }
    out->negated = e->negated;
    for (size_t i = 0; i < 3; i++) {
        if ((out->args[i] = sql_coerce(c->cx, out->args[i], t)) == NULL)
            return NULL;
    }
    return out;
}

struct bound_expr *check_in_list(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *out = bound_new(c->cx, BOUND_IN, e->pos, sql_scalar(SQL_BOOLEAN), e->nitems + 1);
    if (out == NULL || (out->args[0] = check_expr(c, e->a)) == NULL)
        return NULL;
    const struct sql_type *t = out->args[0]->type;
    for (size_t i = 0; i < e->nitems; i++) {
        if ((out->args[i + 1] = check_expr(c, e->items[i])) == NULL)
            return NULL;
        const struct sql_type *common = sql_common_type(c->cx, t, out->args[i + 1]->type);
        if (common == NULL || !sql_is_comparable(common)) {
            struct mr_str type = check_type_text(c->cx, t);
            sql_fail(c->cx, e->items[i]->pos, "IN value and list items must be the same type: " MR_STR_FMT,
                     MR_STR_ARG(type));
            return NULL;
        }
        t = common;
    }
    out->negated = e->negated;
    bool own =
        bound_volatile(out->args[0]); /* the engine compares many times, or by another idea of equality */
    for (size_t i = 0; i < out->nargs; i++) {
        if ((out->args[i] = sql_coerce(c->cx, out->args[i], t)) == NULL)
            return NULL;
        own = own || (i > 0 && check_own_equality(out->args[0], out->args[i]));
    }
    if (!own)
        return out;
    struct bound_expr *x = bound_let(c->cx, out->args[0]);
    struct bound_expr *any = bound_new(c->cx, BOUND_OR, e->pos, sql_scalar(SQL_BOOLEAN), e->nitems);
    for (size_t i = 0; any != NULL && i < e->nitems; i++) {
        if ((any->args[i] = check_equal(c->cx, e->pos, x, out->args[i + 1])) == NULL)
            return NULL;
    }
    any = x != NULL && any != NULL ? bound_let_in(c->cx, out->args[0], x, any) : NULL;
    return e->negated ? check_negated(c->cx, any) : any;
}

/* A constant pattern with its escape: one character, and only before %, _ or itself. */
static bool check_escape(struct sql_context *cx, const struct bound_expr *pattern,
                         const struct bound_expr *escape)
{
    if (!bound_is_const(escape))
        return true;
    if (mr_utf8_length(escape->text) != 1)
        return sql_fail(cx, escape->pos, "Escape string must be a single character");
    if (!bound_is_const(pattern))
        return true;
    struct mr_str p = pattern->text, x = escape->text;
    for (size_t i = 0; i < p.len; i++) {
        if (!mr_str_starts(mr_str_slice(p, i, p.len), x))
            continue;
        i += x.len;
        struct mr_str rest = mr_str_slice(p, i, p.len);
        if (rest.len == 0 || (rest.ptr[0] != '%' && rest.ptr[0] != '_' && !mr_str_starts(rest, x)))
            return sql_fail(cx, pattern->pos,
                            "Escape character must be followed by '%%', '_' or the escape character itself");
        i += mr_str_starts(rest, x) ? x.len - 1 : 0;
    }
    return true;
}

struct bound_expr *check_like(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *out =
        bound_new(c->cx, BOUND_LIKE, e->pos, sql_scalar(SQL_BOOLEAN), e->c != NULL ? 3 : 2);
    const struct ast_expr *operands[3] = {e->a, e->b, e->c};
    static const char *const what[] = {"Left side of", "Pattern for", "Escape for"};
    for (size_t i = 0; out != NULL && i < out->nargs; i++) {
        MR_ASSERT(i < MR_ARRAY_LEN(operands) && operands[i] != NULL);
        struct bound_expr *a = check_expr(c, operands[i]);
        if (a == NULL)
            return NULL;
        if (sql_coercion(a->type, sql_scalar(SQL_VARCHAR)) < 0) {
            struct mr_str type = check_type_text(c->cx, a->type);
            sql_fail(c->cx, operands[i]->pos,
                     "%s LIKE expression must evaluate to a varchar (actual: " MR_STR_FMT ")", what[i],
                     MR_STR_ARG(type));
            return NULL;
        }
        if ((out->args[i] = sql_coerce(c->cx, a, sql_scalar(SQL_VARCHAR))) == NULL)
            return NULL;
    }
    if (out == NULL || (e->c != NULL && !check_escape(c->cx, out->args[1], out->args[2])))
        return NULL;
    out->negated = e->negated;
    return out;
}

/* items[from], items[from + step], ... to one type */
bool check_same_type(struct sql_context *cx, struct bound_expr **items, size_t n, size_t step, size_t from,
                     const struct sql_type **type)
{
    const struct sql_type *t = sql_scalar(SQL_UNKNOWN);
    for (size_t i = from; i < n; i += step) {
        const struct sql_type *common = sql_common_type(cx, t, items[i]->type);
        *type = t;
        if (common == NULL)
            return false;
        t = common;
    }
    *type = t;
    for (size_t i = from; i < n; i += step) {
        if ((items[i] = sql_coerce(cx, items[i], t)) == NULL)
            return false;
    }
    return true;
}

/* The operand and its WHEN values to one type, or each WHEN to boolean. */
static bool case_conditions(struct check *c, const struct ast_expr *e, struct bound_expr *out)
{
    size_t base = e->a != NULL ? 1 : 0;
    for (size_t i = 0; i < e->nitems; i += 2) {
        struct bound_expr **when = &out->args[base + i];
        const struct sql_type *want = base ? sql_common_type(c->cx, out->args[0]->type, (*when)->type) : NULL;
        if (base && (want == NULL || !sql_is_comparable(want))) {
            struct mr_str a = check_type_text(c->cx, out->args[0]->type),
                          b = check_type_text(c->cx, (*when)->type);
            return sql_fail(c->cx, e->items[i]->pos,
                            "CASE operand type does not match WHEN clause operand type: " MR_STR_FMT
                            " vs " MR_STR_FMT,
                            MR_STR_ARG(a), MR_STR_ARG(b));
        }
        if (base) {
            if ((out->args[0] = sql_coerce(c->cx, out->args[0], want)) == NULL)
                return false;
        } else if (sql_coercion((*when)->type, sql_scalar(SQL_BOOLEAN)) < 0) {
            struct mr_str a = check_type_text(c->cx, (*when)->type);
            return sql_fail(c->cx, e->items[i]->pos,
                            "CASE WHEN clause must evaluate to a boolean (actual: " MR_STR_FMT ")",
                            MR_STR_ARG(a));
        }
    }
    for (size_t i = 0; i < e->nitems; i += 2) {
        struct bound_expr **when = &out->args[base + i];
        *when = sql_coerce(c->cx, *when, base ? out->args[0]->type : sql_scalar(SQL_BOOLEAN));
        if (*when == NULL)
            return false;
    }
    return true;
}

static bool case_own_equality(const struct bound_expr *e, size_t n)
{
    bool own = bound_volatile(e->args[0]); /* the engine would compute it for every WHEN */
    for (size_t i = 1; i < n - 1; i += 2)
        own = own || check_own_equality(e->args[0], e->args[i]);
    return own;
}

/* CASE a WHEN b as CASE WHEN x = b, where x stands for a. */
static bool case_equalities(struct check *c, struct bound_expr *e, size_t n, struct bound_expr *x)
{
    for (size_t i = 1; i < n - 1; i += 2) {
        if ((e->args[i] = check_equal(c->cx, e->pos, x, e->args[i])) == NULL)
            return false;
    }
    return true;
}

struct bound_expr *check_case(struct check *c, const struct ast_expr *e)
{
    size_t base = e->a != NULL ? 1 : 0, n = base + e->nitems + 1;
    struct bound_expr *out = bound_new(c->cx, BOUND_CASE, e->pos, sql_scalar(SQL_UNKNOWN), n);
    if (out == NULL || (base && (out->args[0] = check_expr(c, e->a)) == NULL))
        return NULL;
    out->op = (uint8_t)base;
    for (size_t i = 0; i < e->nitems; i++) {
        if ((out->args[base + i] = check_expr(c, e->items[i])) == NULL)
            return NULL;
    }
    out->args[n - 1] =
        e->b != NULL ? check_expr(c, e->b) : bound_null(c->cx, e->pos, sql_scalar(SQL_UNKNOWN));
    if (out->args[n - 1] == NULL || !case_conditions(c, e, out))
        return NULL;
    struct bound_expr *operand = NULL, *x = NULL;
    if (base && case_own_equality(out, n)) {
        operand = out->args[0];
        if ((x = bound_let(c->cx, operand)) == NULL || !case_equalities(c, out, n, x))
            return NULL;
        out->op = 0;
        out->args++;
        out->nargs = --n;
        base = 0;
    }
    /* Results: every second one from the first THEN, and the ELSE. */
    struct bound_expr **results = SQL_ARRAY_NEW(c->cx, e->nitems / 2 + 1, struct bound_expr *);
    size_t nresults = 0;
    if (results == NULL)
        return NULL;
    for (size_t i = base + 1; i < n - 1; i += 2)
        results[nresults++] = out->args[i];
    results[nresults++] = out->args[n - 1];
    if (!check_same_type(c->cx, results, nresults, 1, 0, &out->type)) {
        struct mr_str type = check_type_text(c->cx, out->type);
        sql_fail(c->cx, e->pos, "All CASE results must be the same type: " MR_STR_FMT, MR_STR_ARG(type));
        return NULL;
    }
    for (size_t i = 0; i + 1 < nresults; i++)
        out->args[base + 1 + 2 * i] = results[i];
    out->args[n - 1] = results[nresults - 1];
    return operand != NULL ? bound_let_in(c->cx, operand, x, out) : out;
}

struct bound_expr *check_cast(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *a = check_expr(c, e->a);
    const struct sql_type *to = a != NULL ? sql_type_of_ast(c->cx, e->type) : NULL;
    if (to == NULL)
        return NULL;
    struct bound_expr *out = sql_cast(c->cx, a, to, e->pos);
    if (out != NULL && to->kind == SQL_VARCHAR && e->type->length >= 0) /* texts are cut, others must fit */
        out = bound_call2(c->cx, e->pos, to,
                          a->type->kind == SQL_VARCHAR ? "mr_substr_n($1, CAST(1 AS BIGINT), $2)"
                                                       : "mr_fit_text($1, $2)",
                          out, bound_int(c->cx, e->pos, SQL_BIGINT, e->type->length));
    return e->try ? check_try(c, out, e->pos) : out;
}

/* DATE '...' and the like: checked now where it is a time, a cast for the others */
struct bound_expr *check_typed(struct check *c, const struct ast_expr *e)
{
    const struct sql_type *to = sql_type_of_ast(c->cx, e->type);
    struct bound_expr *text = to != NULL ? bound_text(c->cx, e->pos, e->text) : NULL;
    if (text == NULL)
        return NULL;
    if (to->kind == SQL_DATE || to->kind == SQL_TIME || to->kind == SQL_TIMESTAMP)
        return sql_coerce(c->cx, text, to);
    return sql_cast(c->cx, text, to, e->pos);
}
