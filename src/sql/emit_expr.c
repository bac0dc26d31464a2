/* sql/emit_expr.c - expressions. The shape of what is printed stands above each function. */
#include "sql/emit.h"

#include <inttypes.h>
#include <math.h>

void emit_text(struct emitter *em, const char *text)
{
    mr_buf_add(&em->out, text, strlen(text));
}

bool emit_enter(struct emitter *em, size_t pos, unsigned levels)
{
    em->depth += levels;
    if (em->depth > EMIT_MAX_DEPTH)
        return sql_fail(em->cx, pos, "Query is nested too deeply");
    if (em->out.len > SQL_MAX_EMITTED)
        return sql_fail(em->cx, pos, "Query is too long when expanded");
    return true;
}

/* 'text' without the character U+0000, which ends the engine's statements */
static void emit_quoted(struct emitter *em, struct mr_str s)
{
    size_t from = 0;
    mr_buf_char(&em->out, '\'');
    for (;;) {
        size_t quote = mr_str_find(s, '\'', from);
        mr_buf_str(&em->out, mr_str_slice(s, from, quote));
        if (quote == s.len)
            break;
        mr_buf_str(&em->out, MR_STR("''"));
        from = quote + 1;
    }
    mr_buf_char(&em->out, '\'');
}

/* 'text', or mr_concat('te', mr_chr(CAST(0 AS BIGINT)), 'xt') */
static void emit_string(struct emitter *em, struct mr_str s)
{
    size_t end = mr_str_find(s, '\0', 0);
    if (end == s.len) {
        emit_quoted(em, s);
        return;
    }
    emit_text(em, "mr_concat(");
    for (size_t from = 0;; from = end + 1) {
        end = mr_str_find(s, '\0', from);
        emit_quoted(em, mr_str_slice(s, from, end));
        if (end == s.len)
            break;
        emit_text(em, ", mr_chr(CAST(0 AS BIGINT)), ");
    }
    mr_buf_char(&em->out, ')');
}

/* 1.5e0, (-1.5e0), CAST('NaN' AS DOUBLE) */
static void emit_double(struct emitter *em, double v)
{
    if (isnan(v))
        emit_text(em, "CAST('NaN' AS DOUBLE)");
    else if (isinf(v))
        emit_text(em, v > 0 ? "CAST('Infinity' AS DOUBLE)" : "CAST('-Infinity' AS DOUBLE)");
    else
        mr_buf_printf(&em->out, signbit(v) ? "(%.17e)" : "%.17e", v);
}

static void emit_const(struct emitter *em, const struct bound_expr *e)
{
    struct mr_buf *out = &em->out;
    if (e->null) {
        emit_text(em, "CAST(NULL AS ");
        sql_engine_type(e->type, out);
        mr_buf_char(out, ')');
        return;
    }
    switch (e->type->kind) {
    case SQL_BOOLEAN:
        emit_text(em, e->i64 != 0 ? "true" : "false");
        break;
    case SQL_DOUBLE:
        emit_double(em, e->f64);
        break;
    case SQL_VARCHAR:
        emit_string(em, e->text);
        break;
    default:
        mr_buf_printf(out, "CAST(%" PRId64 " AS ", e->i64);
        sql_engine_type(e->type, out);
        mr_buf_char(out, ')');
    }
}

/* t1.c0 */
static void emit_column(struct emitter *em, const struct bound_expr *e)
{
    const struct bound_relation *r = e->relation;
    size_t index = r->kind == BOUND_SCAN ? r->columns[e->index].slot : e->index;
    mr_buf_printf(&em->out, "t%u.c%zu", r->number, index);
}

static bool emit_joined(struct emitter *em, const struct bound_expr *e, const char *separator)
{
    for (size_t i = 0; i < e->nargs; i++) {
        if (i > 0)
            emit_text(em, separator);
        if (!emit_expr(em, e->args[i]))
            return false;
    }
    return true;
}

/* a, text, b in parentheses */
static bool emit_infix(struct emitter *em, const struct bound_expr *a, const char *text,
                       const struct bound_expr *b)
{
    mr_buf_char(&em->out, '(');
    if (!emit_expr(em, a))
        return false;
    emit_text(em, text);
    if (!emit_expr(em, b))
        return false;
    mr_buf_char(&em->out, ')');
    return true;
}

static const char *const compare_texts[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};

/* (a < b), or mr_lt_f64(a, b) where a NaN may come */
static bool emit_compare(struct emitter *em, const struct bound_expr *a, uint8_t op,
                         const struct bound_expr *b)
{
    static const char *const names[] = {"mr_eq_f64", "mr_ne_f64", "mr_lt_f64",
                                        "mr_le_f64", "mr_lt_f64", "mr_le_f64"};
    if (!bound_may_nan(a) && !bound_may_nan(b))
        return emit_infix(em, a, compare_texts[op], b);
    bool turn = op == AST_GT || op == AST_GE;
    emit_text(em, names[op]);
    mr_buf_char(&em->out, '(');
    if (!emit_expr(em, turn ? b : a))
        return false;
    emit_text(em, ", ");
    if (!emit_expr(em, turn ? a : b))
        return false;
    mr_buf_char(&em->out, ')');
    return true;
}

/* (x BETWEEN a AND b); with NaN about, or of a random x: the two comparisons over a named x */
static bool emit_between(struct emitter *em, const struct bound_expr *e)
{
    if (e->negated)
        emit_text(em, "(NOT ");
    if (bound_between_named(e)) {
        unsigned n = em->next_name++;
        bool real = e->args[0]->type->kind == SQL_DOUBLE;
        emit_text(em, "list_extract(list_transform([");
        if (!emit_expr(em, e->args[0]))
            return false;
        mr_buf_printf(&em->out, "], lambda xb%u: (%s(", n, real ? "mr_le_f64" : "");
        if (!emit_expr(em, e->args[1]))
            return false;
        mr_buf_printf(&em->out, "%sxb%u) AND %s(xb%u%s", real ? ", " : " <= ", n, real ? "mr_le_f64" : "", n,
                      real ? ", " : " <= ");
        if (!emit_expr(em, e->args[2]))
            return false;
        emit_text(em, "))), 1)");
    } else {
        mr_buf_char(&em->out, '(');
        if (!emit_expr(em, e->args[0]))
            return false;
        emit_text(em, " BETWEEN ");
        if (!emit_expr(em, e->args[1]))
            return false;
        emit_text(em, " AND ");
        if (!emit_expr(em, e->args[2]))
            return false;
        mr_buf_char(&em->out, ')');
    }
    if (e->negated)
        mr_buf_char(&em->out, ')');
    return true;
}

/* (x IN (a, b)) */
static bool emit_in(struct emitter *em, const struct bound_expr *e)
{
    mr_buf_char(&em->out, '(');
    if (!emit_expr(em, e->args[0]))
        return false;
    emit_text(em, e->negated ? " NOT IN (" : " IN (");
    for (size_t i = 1; i < e->nargs; i++) {
        if (i > 1)
            emit_text(em, ", ");
        if (!emit_expr(em, e->args[i]))
            return false;
    }
    emit_text(em, "))");
    return true;
}

/* (x LIKE 'p%'), (x LIKE 'p' ESCAPE 'e'), mr_like_escape(x, p, e) when the escape is not checked yet */
static bool emit_like(struct emitter *em, const struct bound_expr *e)
{
    bool known = e->nargs < 3 || (bound_is_const(e->args[1]) && bound_is_const(e->args[2]));
    if (!known) {
        emit_text(em, e->negated ? "(NOT mr_like_escape(" : "mr_like_escape(");
        if (!emit_joined(em, e, ", "))
            return false;
        emit_text(em, e->negated ? "))" : ")");
        return true;
    }
    mr_buf_char(&em->out, '(');
    if (!emit_expr(em, e->args[0]))
        return false;
    emit_text(em, e->negated ? " NOT LIKE " : " LIKE ");
    if (!emit_expr(em, e->args[1]))
        return false;
    if (e->nargs == 3) {
        emit_text(em, " ESCAPE ");
        if (!emit_expr(em, e->args[2]))
            return false;
    }
    mr_buf_char(&em->out, ')');
    return true;
}

/* CASE [x] WHEN a THEN b ... ELSE c END */
static bool emit_case(struct emitter *em, const struct bound_expr *e)
{
    size_t i = 0;
    emit_text(em, "CASE");
    if (e->op != 0) {
        mr_buf_char(&em->out, ' ');
        if (!emit_expr(em, e->args[i++]))
            return false;
    }
    for (; i + 1 < e->nargs; i += 2) {
        emit_text(em, " WHEN ");
        if (!emit_expr(em, e->args[i]))
            return false;
        emit_text(em, " THEN ");
        if (!emit_expr(em, e->args[i + 1]))
            return false;
    }
    emit_text(em, " ELSE ");
    if (!emit_expr(em, e->args[i]))
        return false;
    emit_text(em, " END");
    return true;
}

/* {'f0': a, 'f1': b} */
static bool emit_row(struct emitter *em, const struct bound_expr *e)
{
    emit_text(em, "struct_pack(");
    for (size_t i = 0; i < e->nargs; i++) {
        mr_buf_printf(&em->out, "%sf%zu := ", i > 0 ? ", " : "", i);
        if (!emit_expr(em, e->args[i]))
            return false;
    }
    mr_buf_char(&em->out, ')');
    return true;
}

/* [a, b], or the typed empty list */
static bool emit_array(struct emitter *em, const struct bound_expr *e)
{
    if (e->nargs == 0) {
        emit_text(em, "CAST([] AS ");
        sql_engine_type(e->type, &em->out);
        mr_buf_char(&em->out, ')');
        return true;
    }
    mr_buf_char(&em->out, '[');
    if (!emit_joined(em, e, ", "))
        return false;
    mr_buf_char(&em->out, ']');
    return true;
}

/* list_extract(a, mr_subscript(i, len(a))), the array named when it is no plain column */
static bool emit_subscript(struct emitter *em, const struct bound_expr *e)
{
    unsigned n = em->next_name++;
    emit_text(em, "list_extract(list_transform([");
    if (!emit_expr(em, e->args[0]))
        return false;
    mr_buf_printf(&em->out, "], lambda xb%u: list_extract(xb%u, mr_subscript(", n, n);
    if (!emit_expr(em, e->args[1]))
        return false;
    mr_buf_printf(&em->out, ", len(xb%u)))), 1)", n);
    return true;
}

/* lambda p1, p2: body */
static bool emit_lambda(struct emitter *em, const struct bound_expr *e)
{
    emit_text(em, "lambda");
    for (unsigned i = 0; i < e->op; i++)
        mr_buf_printf(&em->out, "%s p%zu", i > 0 ? "," : "", e->index + i);
    emit_text(em, ": ");
    return emit_expr(em, e->args[0]);
}

/* (x IN (SELECT ...)), (x < ALL (SELECT ...)), EXISTS (SELECT ...), (SELECT ...) */
static bool emit_subquery(struct emitter *em, const struct bound_expr *e)
{
    mr_buf_char(&em->out, '(');
    if (e->nargs > 0 && !emit_expr(em, e->args[0]))
        return false;
    if (e->kind == BOUND_IN_QUERY)
        emit_text(em, e->negated ? " NOT IN " : " IN ");
    if (e->kind == BOUND_QUANTIFIED) {
        emit_text(em, compare_texts[e->op]);
        emit_text(em, e->all ? "ALL " : "ANY ");
    }
    if (e->kind == BOUND_EXISTS)
        emit_text(em, "EXISTS ");
    if (e->kind != BOUND_SUBQUERY)
        mr_buf_char(&em->out, '(');
    if (!emit_query(em, e->query))
        return false;
    emit_text(em, e->kind != BOUND_SUBQUERY ? "))" : ")");
    return true;
}

/* The one that settles it, else NULL when there is one, else the other. */
static bool emit_truth(struct emitter *em, const struct bound_expr *e)
{
    unsigned n = em->next_name++;
    mr_buf_printf(
        &em->out,
        "(SELECT CASE WHEN count(*) FILTER (WHERE %sxb%u.c0) > 0 THEN %s WHEN count(xb%u.c0) < count(*) THEN "
        "NULL ELSE %s END FROM (",
        e->all ? "NOT " : "", n, e->all ? "false" : "true", n, e->all ? "true" : "false");
    if (!emit_query(em, e->query))
        return false;
    mr_buf_printf(&em->out, ") AS xb%u)", n);
    return true;
}

static bool emit_wrapped(struct emitter *em, const char *before, const struct bound_expr *a,
                         const char *after)
{
    emit_text(em, before);
    if (!emit_expr(em, a))
        return false;
    emit_text(em, after);
    return true;
}

static bool emit_node(struct emitter *em, const struct bound_expr *e)
{
    switch (e->kind) {
    case BOUND_CONST:
        emit_const(em, e);
        return true;
    case BOUND_PARAM: /* PrepareQuery only: never run */
        emit_text(em, "CAST(NULL AS ");
        sql_engine_type(e->type, &em->out);
        mr_buf_char(&em->out, ')');
        return true;
    case BOUND_COLUMN:
        emit_column(em, e);
        return true;
    case BOUND_LAMBDA_ARG:
        mr_buf_printf(&em->out, "p%zu", e->index);
        return true;
    case BOUND_CALL:
        return e->pattern[0] == '!' ? emit_special(em, e) : emit_pattern(em, e);
    case BOUND_COMPARE:
        return emit_compare(em, e->args[0], e->op, e->args[1]);
    case BOUND_DISTINCT:
        return emit_infix(em, e->args[0], e->negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ",
                          e->args[1]);
    case BOUND_AND:
    case BOUND_OR:
        mr_buf_char(&em->out, '(');
        if (!emit_joined(em, e, e->kind == BOUND_AND ? " AND " : " OR "))
            return false;
        mr_buf_char(&em->out, ')');
        return true;
    case BOUND_NOT:
        return emit_wrapped(em, "(NOT ", e->args[0], ")");
    case BOUND_IS_NULL:
        return emit_wrapped(em, "(", e->args[0], e->negated ? " IS NOT NULL)" : " IS NULL)");
    case BOUND_BETWEEN:
        return emit_between(em, e);
    case BOUND_IN:
        return emit_in(em, e);
    case BOUND_LIKE:
        return emit_like(em, e);
    case BOUND_CASE:
        return emit_case(em, e);
    case BOUND_TRY:
        return emit_wrapped(em, "TRY(", e->args[0], ")");
    case BOUND_ROW:
        return emit_row(em, e);
    case BOUND_ARRAY:
        return emit_array(em, e);
    case BOUND_FIELD:
        emit_text(em, "struct_extract(");
        if (!emit_expr(em, e->args[0]))
            return false;
        mr_buf_printf(&em->out, ", 'f%zu')", e->index);
        return true;
    case BOUND_POINT:
        return emit_wrapped(em, "struct_extract(", e->args[0], e->index == 0 ? ", 't')" : ", 'v')");
    case BOUND_SUBSCRIPT:
        return emit_subscript(em, e);
    case BOUND_LAMBDA:
        return emit_lambda(em, e);
    case BOUND_SUBQUERY:
    case BOUND_EXISTS:
    case BOUND_IN_QUERY:
    case BOUND_QUANTIFIED:
        return emit_subquery(em, e);
    case BOUND_TRUTH:
        return emit_truth(em, e);
    case BOUND_AGGREGATE:
    case BOUND_WINDOW:
        return emit_aggregate(em, e);
    case BOUND_GROUPING:
        emit_text(em, "GROUPING(");
        if (!emit_joined(em, e, ", "))
            return false;
        mr_buf_char(&em->out, ')');
        return true;
    }
    return true;
}

static bool visit_constant(void *ctx, struct bound_expr **child);

/* Without columns the database computes it while it prepares. */
static bool is_constant(const struct bound_expr *e)
{
    switch (e->kind) {
    case BOUND_COLUMN:
    case BOUND_AGGREGATE:
    case BOUND_WINDOW:
    case BOUND_GROUPING:
    case BOUND_SUBQUERY:
    case BOUND_EXISTS:
    case BOUND_IN_QUERY:
    case BOUND_QUANTIFIED:
    case BOUND_TRUTH:
        return false;
    default:
        return bound_children((struct bound_expr *)e, visit_constant, NULL);
    }
}

static bool visit_constant(void *ctx, struct bound_expr **child)
{
    MR_UNUSED(ctx);
    return is_constant(*child);
}

/* These functions of the database lose their type when an argument is a constant NULL, and only the database
 * knows what it can compute while it prepares. A cast to the type an expression has already costs nothing. */
static bool loses_type(const struct bound_expr *e)
{
    static const char *const losing[] = {"list_extract(", "list_sort(", "!list_concat", "!reduce"};
    if (e->kind == BOUND_FIELD || e->kind == BOUND_POINT)
        return is_constant(e);
    bool found = e->kind == BOUND_SUBSCRIPT;
    for (size_t i = 0; !found && e->kind == BOUND_CALL && i < MR_ARRAY_LEN(losing); i++)
        found = strncmp(e->pattern, losing[i], strlen(losing[i])) == 0;
    return found;
}

/* node | CAST(node AS type) */
bool emit_expr(struct emitter *em, const struct bound_expr *e)
{
    unsigned depth = em->depth;
    bool cast = loses_type(e);
    if (!emit_enter(em, e->pos, cast ? 2 : 1))
        return false;
    if (cast)
        emit_text(em, "CAST(");
    bool ok = emit_node(em, e);
    if (cast) {
        emit_text(em, " AS ");
        sql_engine_type(e->type, &em->out);
        mr_buf_char(&em->out, ')');
    }
    em->depth = depth;
    return ok;
}
