/* sql/emit_call.c - patterns of functions.def filled in, aggregates with their clauses, and the few functions
 * whose shape no pattern can say. */
#include "sql/emit.h"

/* How many levels of parentheses a pattern adds. */
static unsigned pattern_levels(const char *pattern)
{
    unsigned depth = 0, most = 0;
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '(' || *p == '{' || *p == '[')
            most = ++depth > most ? depth : most;
        else if ((*p == ')' || *p == '}' || *p == ']') && depth > 0)
            depth--;
    }
    return most;
}

static bool is_own_aggregate(const char *pattern)
{
    const char *open = strchr(pattern, '{'), *name = open;
    while (name != NULL && name > pattern && (name[-1] == '_' || (name[-1] >= '0' && name[-1] <= 'z')))
        name--;
    return name != NULL && strncmp(name, "mr_", 3) == 0;
}

/* [IGNORE NULLS] [ORDER BY ...]) [FILTER (WHERE ...)], after the arguments */
static bool emit_clauses(struct emitter *em, const struct bound_expr *e)
{
    if (e->ignore_nulls)
        emit_text(em, " IGNORE NULLS");
    bool own = is_own_aggregate(e->pattern); /* these do not depend on an order */
    if (e->norder > 0 && !own && !emit_order(em, NULL, e->order, e->norder))
        return false;
    mr_buf_char(&em->out, ')');
    if (e->filter != NULL) {
        emit_text(em, " FILTER (WHERE ");
        if (!emit_expr(em, e->filter))
            return false;
        mr_buf_char(&em->out, ')');
    }
    return true;
}

static bool emit_frame_bound(struct emitter *em, enum ast_bound bound, const struct bound_expr *e)
{
    static const char *const texts[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING",
                                        "UNBOUNDED FOLLOWING"};
    if (e != NULL && !emit_expr(em, e))
        return false;
    emit_text(em, texts[bound]);
    return true;
}

/* The engine computes these once a partition, and then hands an aggregate of our own one state where it
 * promises one a row. A frame that ends far behind the last row means the same and goes another way. */
static bool is_whole_partition(const struct bound_window *w)
{
    size_t norder = 0; /* constants do not order */
    for (size_t i = 0; i < w->norder; i++)
        norder += w->order[i].expr->kind != BOUND_CONST;
    if (!w->framed)
        return norder == 0;
    bool peers = norder == 0 && !w->rows; /* CURRENT ROW then means all rows */
    return (w->from == AST_UNBOUNDED_PRECEDING || (peers && w->from == AST_CURRENT_ROW)) &&
           (w->to == AST_UNBOUNDED_FOLLOWING || (peers && w->to == AST_CURRENT_ROW));
}

/* OVER ([PARTITION BY ...] [ORDER BY ...] [ROWS BETWEEN ... AND ...]) */
static bool emit_over(struct emitter *em, const struct bound_expr *e)
{
    const struct bound_window *w = e->window;
    emit_text(em, " OVER (");
    for (size_t i = 0; i < w->npartition; i++) {
        emit_text(em, i == 0 ? "PARTITION BY " : ", ");
        if (!emit_expr(em, w->partition[i]))
            return false;
    }
    if (w->norder > 0 && !emit_order(em, NULL, w->order, w->norder))
        return false;
    if (is_own_aggregate(e->pattern) && is_whole_partition(w)) {
        emit_text(em, " ROWS BETWEEN UNBOUNDED PRECEDING AND 1000000000000 FOLLOWING");
    } else if (w->framed) {
        emit_text(em, w->rows ? " ROWS BETWEEN " : " RANGE BETWEEN ");
        if (!emit_frame_bound(em, w->from, w->from_expr))
            return false;
        emit_text(em, " AND ");
        if (!emit_frame_bound(em, w->to, w->to_expr))
            return false;
    }
    mr_buf_char(&em->out, ')');
    return true;
}

static bool emit_all_args(struct emitter *em, const struct bound_expr *e)
{
    for (size_t i = 0; i < e->nargs; i++) {
        if (i > 0)
            emit_text(em, ", ");
        if (!emit_expr(em, e->args[i]))
            return false;
    }
    return true;
}

/* $1 an argument, $* all, $b a made-up name (xb7: no column is called so); {...} an aggregate's arguments */
static bool emit_marked(struct emitter *em, const struct bound_expr *e)
{
    unsigned n = em->next_name++;
    for (const char *p = e->pattern; *p != '\0'; p++) {
        if (*p == '{') {
            mr_buf_char(&em->out, '(');
            if (e->distinct)
                emit_text(em, "DISTINCT ");
        } else if (*p == '}') {
            if (!emit_clauses(em, e) || (e->window != NULL && !emit_over(em, e)))
                return false;
        } else if (*p != '$') {
            mr_buf_char(&em->out, *p);
        } else if (*++p == '*') {
            if (!emit_all_args(em, e))
                return false;
        } else if (*p >= '1' && *p <= '9') {
            if (!emit_expr(em, e->args[*p - '1']))
                return false;
        } else {
            mr_buf_printf(&em->out, "x%c%u", *p, n);
        }
    }
    return true;
}

bool emit_pattern(struct emitter *em, const struct bound_expr *e)
{
    unsigned depth = em->depth;
    bool ok = emit_enter(em, e->pos, pattern_levels(e->pattern)) && emit_marked(em, e);
    em->depth = depth;
    return ok;
}

bool emit_aggregate(struct emitter *em, const struct bound_expr *e)
{
    return emit_pattern(em, e);
}

/* The arrays in one list, flattened; NULL when one is NULL. Their sum is bounded, for it can double with
 * every use. */
static bool emit_list_concat(struct emitter *em, const struct bound_expr *e)
{
    unsigned n = em->next_name++;
    emit_text(em, "list_extract(list_transform([[");
    if (!emit_all_args(em, e))
        return false;
    mr_buf_printf(&em->out,
                  "]], lambda xb%u: CASE WHEN list_count(xb%u) = len(xb%u) AND "
                  "mr_list_budget(mr_check_i64(CAST(list_sum(list_transform(xb%u, "
                  "lambda xc%u: len(xc%u))) AS BIGINT), 0, 1000000, 'Array is too large')) >= 0 THEN "
                  "flatten(xb%u) END), 1)",
                  n, n, n, n, n, n, n);
    return true;
}

/* list_transform(list_zip(a, b), lambda c: struct_pack(f0 := c[1], ...)) */
static bool emit_zip(struct emitter *em, const struct bound_expr *e)
{
    unsigned n = em->next_name++;
    emit_text(em, "list_transform(list_zip(");
    if (!emit_all_args(em, e))
        return false;
    mr_buf_printf(&em->out, "), lambda xc%u: struct_pack(", n);
    for (size_t i = 0; i < e->nargs; i++)
        mr_buf_printf(&em->out, "%sf%zu := xc%u[%zu]", i > 0 ? ", " : "", i, n, i + 1);
    emit_text(em, "))");
    return true;
}

/* The state travels in the first element of a list of pairs (s, e):
 *   list_reduce(list_transform(list, x -> (NULL, x)), (a, b) -> (step(a.s, b.e), NULL), (initial, NULL)).s
 * step and finish are applied to their arguments as lists of one, transformed. */
static bool emit_reduce(struct emitter *em, const struct bound_expr *e)
{
    const struct bound_expr *list = e->args[0], *initial = e->args[1], *step = e->args[2],
                            *finish = e->args[3];
    struct mr_buf *out = &em->out;
    unsigned n = em->next_name++;
    struct mr_buf state = MR_BUF_INIT, elem = MR_BUF_INIT;
    sql_engine_type(initial->type, &state);
    if (list->type->kind == SQL_TIMESERIES) {
        mr_buf_str(&elem, MR_STR("STRUCT(t BIGINT, v "));
        sql_engine_type(list->type->elem, &elem);
        mr_buf_char(&elem, ')');
    } else {
        sql_engine_type(list->type->elem, &elem);
    }
    struct mr_str s = mr_buf_view(&state), x = mr_buf_view(&elem);
    mr_buf_printf(out, "list_extract(list_transform([struct_extract(list_reduce(list_transform(");
    bool ok = emit_expr(em, list);
    mr_buf_printf(
        out,
        ", lambda xc%u: struct_pack(s := CAST(NULL AS " MR_STR_FMT "), e := xc%u)), lambda xa%u, xb%u: "
        "struct_pack(s := list_extract(list_transform([struct_pack(p := xa%u.s, q := xb%u.e)], lambda xd%u: "
        "list_extract(list_transform([xd%u.p], lambda p%zu: list_extract(list_transform([xd%u.q], lambda "
        "p%zu: ",
        n, MR_STR_ARG(s), n, n, n, n, n, n, n, step->index, n, step->index + 1);
    ok = ok && emit_expr(em, step->args[0]);
    mr_buf_printf(out,
                  "), 1)), 1)), 1), e := CAST(NULL AS " MR_STR_FMT ")), struct_pack(s := ", MR_STR_ARG(x));
    ok = ok && emit_expr(em, initial);
    mr_buf_printf(out, ", e := CAST(NULL AS " MR_STR_FMT "))), 's')], lambda p%zu: ", MR_STR_ARG(x),
                  finish->index);
    ok = ok && emit_expr(em, finish->args[0]);
    emit_text(em, "), 1)");
    ok = ok && mr_buf_ok(&state) && mr_buf_ok(&elem);
    mr_buf_release(&state);
    mr_buf_release(&elem);
    return ok;
}

/* mr_array_join(list_transform(mr_regexp_pieces(s, p), lambda c: lit or lit || f(groups)), '') */
static bool emit_regexp_replace(struct emitter *em, const struct bound_expr *e)
{
    const struct bound_expr *lambda = e->args[2];
    unsigned n = em->next_name++;
    emit_text(em, "mr_array_join(list_transform(mr_regexp_pieces(");
    if (!emit_expr(em, e->args[0]))
        return false;
    emit_text(em, ", ");
    if (!emit_expr(em, e->args[1]))
        return false;
    mr_buf_printf(&em->out,
                  "), lambda xc%u: CASE WHEN xc%u.groups IS NULL THEN xc%u.lit ELSE mr_concat(xc%u.lit, "
                  "coalesce(list_extract(list_transform([xc%u.groups], lambda p%zu: ",
                  n, n, n, n, n, lambda->index);
    if (!emit_expr(em, lambda->args[0]))
        return false;
    emit_text(em, "), 1), '')) END), '')");
    return true;
}

bool emit_special(struct emitter *em, const struct bound_expr *e)
{
    static const struct {
        const char *pattern;
        bool (*emit)(struct emitter *em, const struct bound_expr *e);
        unsigned levels;
    } specials[] = {{"!list_concat", emit_list_concat, 6},
                    {"!zip", emit_zip, 3},
                    {"!reduce", emit_reduce, 16},
                    {"!regexp_replace", emit_regexp_replace, 8}};
    for (size_t i = 0; i < MR_ARRAY_LEN(specials); i++) {
        if (strcmp(e->pattern, specials[i].pattern) != 0)
            continue;
        unsigned depth = em->depth;
        bool ok = emit_enter(em, e->pos, specials[i].levels) && specials[i].emit(em, e);
        em->depth = depth;
        return ok;
    }
    MR_ASSERT(!"a pattern without its emitter");
    return false;
}
