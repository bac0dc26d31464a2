/* sql/prune.c - what WHERE and ON say about time and dimensions, handed to the scans.
 *
 * The emitted statement applies every condition again, so a bound may be wider than the condition but never
 * narrower. Conditions sink through derived tables, WITH items that are used once, set operations, DISTINCT
 * and group keys, never through LIMIT or window functions. A condition that NULL fails may sink to either
 * side of an outer join: the rows it turns into null-extended ones fail it again above. IS NULL may not.
 */
#include "sql/bound.h"

#include "sql/calendar.h"

struct condition {
    struct sql_context *cx;
    bool time; /* a bound: op and value; else pred */
    enum ast_compare op;
    int64_t value;
    struct sql_pred pred;
};

static void sink(const struct condition *p, const struct bound_relation *from, struct bound_query *group_of,
                 const struct bound_expr *e);

/* Whether r lies in the tree, and on a side that an outer join fills with NULLs. */
static bool find_relation(const struct bound_relation *tree, const struct bound_relation *r, bool *nullable)
{
    if (tree == NULL)
        return false;
    if (tree == r)
        return true;
    if (tree->kind != BOUND_JOIN)
        return false;
    if (find_relation(tree->left, r, nullable)) {
        *nullable = *nullable || tree->join == AST_RIGHT || tree->join == AST_FULL;
        return true;
    }
    if (find_relation(tree->right, r, nullable)) {
        *nullable = *nullable || tree->join == AST_LEFT || tree->join == AST_FULL;
        return true;
    }
    return false;
}

static int64_t saturate(__int128 v)
{
    return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
}

static void bound_scan_time(struct bound_scan *scan, enum ast_compare op, int64_t value)
{
    bool low = op == AST_GT || op == AST_GE || op == AST_EQ,
         high = op == AST_LT || op == AST_LE || op == AST_EQ;
    int64_t min = op == AST_GT ? saturate((__int128)value + 1) : value;
    int64_t max = op == AST_LT ? saturate((__int128)value - 1) : value;
    if (low && min > scan->time_min)
        scan->time_min = min;
    if (high && max < scan->time_max)
        scan->time_max = max;
}

static void add_pred(const struct condition *p, struct bound_scan *scan, uint32_t column)
{
    if (scan->npreds == scan->cap) {
        size_t cap = scan->cap > 0 ? scan->cap * 2 : 4;
        struct sql_pred *preds = SQL_ARRAY_NEW(p->cx, cap, struct sql_pred);
        if (preds == NULL)
            return;
        if (scan->npreds > 0)
            memcpy(preds, scan->preds, scan->npreds * sizeof *preds);
        scan->preds = preds;
        scan->cap = cap;
    }
    scan->preds[scan->npreds] = p->pred;
    scan->preds[scan->npreds++].column = column;
}

static void sink_scan(const struct condition *p, const struct bound_relation *r, size_t index)
{
    const struct sql_column *c = r->columns[index].source;
    if (p->time && c->role == SQL_ROLE_TIME)
        bound_scan_time(r->scan, p->op, p->value);
    if (!p->time && (c->role == SQL_ROLE_DIMENSION || c->role == SQL_ROLE_MEASURE_NAME))
        add_pred(p, r->scan, c->number);
}

static void sink_query(const struct condition *p, struct bound_query *q, size_t output)
{
    if (q->limit >= 0 || q->offset >= 0 || q->windowed)
        return;
    if (q->kind == BOUND_SETOP) {
        sink_query(p, q->left, output);
        sink_query(p, q->right, output);
    } else if (q->kind == BOUND_SELECT) {
        sink(p, q->from, q, q->outputs[output].expr);
    }
}

static void sink_column(const struct condition *p, const struct bound_relation *from,
                        struct bound_query *group_of, const struct bound_expr *e)
{
    const struct bound_relation *r = e->relation;
    bool nullable = false;
    if (group_of != NULL && r == group_of->group && r != NULL) {
        if (group_of->sets == NULL && e->index < group_of->nkeys)
            sink(p, from, NULL, group_of->keys[e->index]);
        return;
    }
    if (!find_relation(from, r, &nullable) || (nullable && !p->time && p->pred.op == SQL_PRED_IS_NULL))
        return;
    MR_ASSERT(r != NULL); /* it was found */
    if (r->kind == BOUND_SCAN)
        sink_scan(p, r, e->index);
    else if (r->kind == BOUND_DERIVED || (r->kind == BOUND_WITH && r->with->references == 1))
        sink_query(p, r->query, e->index);
}

/* ---- functions of time that grow with it ---- */

/* Upper bounds move by what the function takes away at most. */
static struct condition widened(struct condition p, int64_t by)
{
    if (p.op == AST_LT || p.op == AST_LE)
        p.value = saturate((__int128)p.value + by);
    if (p.op == AST_LT)
        p.op = AST_LE;
    return p;
}

/* f(x) <= x < f(x) + width, f not falling: bin, date_trunc, the day of a date */
static void sink_floor(const struct condition *p, const struct bound_relation *from,
                       struct bound_query *group_of, const struct bound_expr *x, int64_t width)
{
    struct condition low = *p, high = *p;
    if (p->op == AST_EQ) {
        low.op = AST_GE;
        high.op = AST_LE;
        high = widened(high, width);
        sink(&low, from, group_of, x);
        sink(&high, from, group_of, x);
        return;
    }
    high = widened(high, width);
    sink(&high, from, group_of, x);
}

static void sink_shift(const struct condition *p, const struct bound_relation *from,
                       struct bound_query *group_of, const struct bound_expr *x, __int128 by)
{
    struct condition q = *p;
    q.value = saturate((__int128)p->value - by);
    if (q.op == AST_EQ && (q.value == INT64_MAX || q.value == INT64_MIN))
        return;
    sink(&q, from, group_of, x);
}

/* x plus months: between 28 and 31 days each, three more for clamping at either end. */
static void sink_months(const struct condition *p, const struct bound_relation *from,
                        struct bound_query *group_of, const struct bound_expr *x, int64_t months)
{
    __int128 least = (__int128)months * (months >= 0 ? 28 : 31) * SQL_NS_DAY - 3 * (__int128)SQL_NS_DAY;
    __int128 most = (__int128)months * (months >= 0 ? 31 : 28) * SQL_NS_DAY + 3 * (__int128)SQL_NS_DAY;
    struct condition low = *p, high = *p;
    low.op = AST_GE;
    high.op = AST_LE;
    if (p->op == AST_GT || p->op == AST_GE || p->op == AST_EQ)
        sink_shift(&low, from, group_of, x, most);
    if (p->op == AST_LT || p->op == AST_LE || p->op == AST_EQ)
        sink_shift(&high, from, group_of, x, least);
}

static void sink_call(const struct condition *p, const struct bound_relation *from,
                      struct bound_query *group_of, const struct bound_expr *e)
{
    const struct bound_expr *a = e->args[0], *b = e->nargs > 1 ? e->args[1] : NULL;
    bool by_constant = b != NULL && bound_is_const(b);
    enum sql_unit unit;
    MR_ASSERT(a != NULL);
    if (strcmp(e->pattern, "mr_bin($1, $2)") == 0 && by_constant && b->i64 > 0) {
        sink_floor(p, from, group_of, a, b->i64);
    } else if (strcmp(e->pattern, "mr_date_trunc_ts($1, $2)") == 0 && bound_is_const(a) &&
               sql_unit_of(a->text, &unit)) {
        int64_t width = sql_unit_ns(unit) != 0 ? sql_unit_ns(unit) : 366 * SQL_NS_DAY;
        sink_floor(p, from, group_of, b, width);
    } else if (strcmp(e->pattern, "mr_ts_add($1, $2)") == 0 && by_constant) {
        sink_shift(p, from, group_of, a, b->i64);
    } else if (strcmp(e->pattern, "mr_ts_sub($1, $2)") == 0 && by_constant) {
        sink_shift(p, from, group_of, a, -(__int128)b->i64);
    } else if (strcmp(e->pattern, "mr_ts_add_months($1, $2)") == 0 && by_constant) {
        sink_months(p, from, group_of, a, b->i64);
    } else if (strcmp(e->pattern, "mr_ts_sub_months($1, $2)") == 0 && by_constant) {
        sink_months(p, from, group_of, a, -b->i64);
    } else if (strcmp(e->pattern, "$1") == 0) { /* to_nanoseconds */
        sink(p, from, group_of, a);
    } else if (strcmp(e->pattern, "mr_ts_to_date($1)") == 0 ||
               strcmp(e->pattern, "mr_ts_to_millis($1)") == 0) {
        int64_t unit_ns = e->type->kind == SQL_DATE ? SQL_NS_DAY : 1000000;
        struct condition q = *p;
        q.value = saturate((__int128)p->value * unit_ns);
        if (q.op == AST_GT) /* a later day starts a whole day later; the day itself is a safe bound */
            q.op = AST_GE;
        sink_floor(&q, from, group_of, a, unit_ns);
    }
}

static void sink(const struct condition *p, const struct bound_relation *from, struct bound_query *group_of,
                 const struct bound_expr *e)
{
    MR_ASSERT(e != NULL);
    if (e->kind == BOUND_COLUMN)
        sink_column(p, from, group_of, e);
    else if (p->time && e->kind == BOUND_CALL && e->nargs > 0)
        sink_call(p, from, group_of, e);
}

/* ---- conditions ---- */

struct place {
    struct sql_context *cx;
    const struct bound_relation *from;
    struct bound_query *group_of;
};

static bool is_instant(const struct bound_expr *e)
{
    enum sql_kind k = e->type->kind;
    return k == SQL_TIMESTAMP || k == SQL_DATE || k == SQL_BIGINT;
}

static void sink_compare(const struct place *at, const struct bound_expr *e, enum ast_compare op,
                         const struct bound_expr *c)
{
    struct condition p = {.cx = at->cx, .time = true, .op = op, .value = c->i64};
    if (!bound_is_const(c))
        return;
    if (is_instant(e) && op != AST_NE)
        sink(&p, at->from, at->group_of, e);
    if (e->type->kind != SQL_VARCHAR || (op != AST_EQ && op != AST_NE))
        return;
    struct mr_str *value = SQL_NEW(at->cx, struct mr_str);
    if (value == NULL)
        return;
    *value = c->text;
    p.time = false;
    p.pred = (struct sql_pred){0, op == AST_EQ ? SQL_PRED_IN : SQL_PRED_NOT_IN, value, 1};
    sink(&p, at->from, at->group_of, e);
}

static void sink_in(const struct place *at, const struct bound_expr *e)
{
    struct condition p = {.cx = at->cx};
    size_t n = e->nargs - 1, kept = 0;
    MR_ASSERT(e->args[0] != NULL && e->args[0]->type != NULL);
    if (e->args[0]->type->kind != SQL_VARCHAR)
        return;
    struct mr_str *values = SQL_ARRAY_NEW(at->cx, n, struct mr_str);
    for (size_t i = 0; values != NULL && i < n; i++) {
        const struct bound_expr *c = e->args[i + 1];
        if (c->kind != BOUND_CONST || (c->null && e->negated))
            return; /* NOT IN with a NULL keeps nothing; leave it to the statement */
        if (!c->null)
            values[kept++] = c->text;
    }
    if (values == NULL)
        return;
    p.pred = (struct sql_pred){0, e->negated ? SQL_PRED_NOT_IN : SQL_PRED_IN, values, kept};
    sink(&p, at->from, at->group_of, e->args[0]);
}

/* LIKE 'abc%...': the text before the first wildcard, when no escape can hide in it */
static void sink_like(const struct place *at, const struct bound_expr *e)
{
    struct condition p = {.cx = at->cx};
    if (e->negated || e->nargs != 2 || !bound_is_const(e->args[1]))
        return;
    struct mr_str text = e->args[1]->text;
    size_t n = 0;
    while (n < text.len && text.ptr[n] != '%' && text.ptr[n] != '_')
        n++;
    struct mr_str *value = SQL_NEW(at->cx, struct mr_str);
    if (n == 0 || value == NULL)
        return;
    *value = mr_str_slice(text, 0, n);
    p.pred = (struct sql_pred){0, n == text.len ? SQL_PRED_IN : SQL_PRED_PREFIX, value, 1};
    sink(&p, at->from, at->group_of, e->args[0]);
}

/* a = 'x' OR a IN ('y', ...): one list, when all are about one column */
static void sink_or(const struct place *at, const struct bound_expr *e)
{
    const struct bound_expr *column = NULL;
    size_t n = 0;
    for (size_t i = 0; i < e->nargs; i++) {
        const struct bound_expr *a = e->args[i];
        bool is_eq = a->kind == BOUND_COMPARE && a->op == AST_EQ, is_in = a->kind == BOUND_IN && !a->negated;
        if ((!is_eq && !is_in) || (column != NULL && !bound_equal(column, a->args[0])) ||
            a->args[0]->kind != BOUND_COLUMN || a->args[0]->type->kind != SQL_VARCHAR)
            return;
        column = a->args[0];
        n += a->nargs - 1;
    }
    struct bound_expr *all = bound_new(at->cx, BOUND_IN, e->pos, e->type, n + 1);
    if (all == NULL)
        return;
    all->args[0] = (struct bound_expr *)column;
    n = 1;
    for (size_t i = 0; i < e->nargs; i++) {
        for (size_t k = 1; k < e->args[i]->nargs; k++)
            all->args[n++] = e->args[i]->args[k];
    }
    sink_in(at, all);
}

static void sink_condition(const struct place *at, const struct bound_expr *e)
{
    static const enum ast_compare flipped[] = {AST_EQ, AST_NE, AST_GT, AST_GE, AST_LT, AST_LE};
    struct condition p = {.cx = at->cx};
    switch (e->kind) {
    case BOUND_AND:
        for (size_t i = 0; i < e->nargs; i++)
            sink_condition(at, e->args[i]);
        break;
    case BOUND_OR:
        sink_or(at, e);
        break;
    case BOUND_COMPARE:
        sink_compare(at, e->args[0], (enum ast_compare)e->op, e->args[1]);
        sink_compare(at, e->args[1], flipped[e->op], e->args[0]);
        break;
    case BOUND_BETWEEN:
        if (!e->negated) {
            sink_compare(at, e->args[0], AST_GE, e->args[1]);
            sink_compare(at, e->args[0], AST_LE, e->args[2]);
        }
        break;
    case BOUND_IN:
        sink_in(at, e);
        break;
    case BOUND_LIKE:
        sink_like(at, e);
        break;
    case BOUND_IS_NULL:
        p.pred.op = e->negated ? SQL_PRED_NOT_NULL : SQL_PRED_IS_NULL;
        sink(&p, at->from, at->group_of, e->args[0]);
        break;
    default:
        break;
    }
}

/* ---- all queries of the statement ---- */

static bool prune_slot(void *ctx, struct bound_expr **slot)
{
    if ((*slot)->query != NULL && !prune_query(ctx, (*slot)->query))
        return false;
    return bound_children(*slot, prune_slot, ctx);
}

static bool prune_relation(struct sql_context *cx, struct bound_relation *r)
{
    if (r == NULL)
        return true;
    for (size_t i = 0; i < r->nargs; i++) {
        if (!prune_slot(cx, &r->args[i]))
            return false;
    }
    if (r->kind == BOUND_DERIVED)
        return prune_query(cx, r->query);
    if (r->kind != BOUND_JOIN)
        return true;
    if (r->on != NULL) {
        struct place left = {cx, r->left, NULL}, right = {cx, r->right, NULL};
        if (r->join == AST_INNER || r->join == AST_RIGHT)
            sink_condition(&left, r->on);
        if (r->join == AST_INNER || r->join == AST_LEFT)
            sink_condition(&right, r->on);
        if (!prune_slot(cx, &r->on))
            return false;
    }
    return prune_relation(cx, r->left) && prune_relation(cx, r->right);
}

bool prune_query(struct sql_context *cx, struct bound_query *q)
{
    struct place where = {cx, q->from, NULL}, having = {cx, q->from, q};
    struct bound_expr **roots[] = {&q->where, &q->having};
    if (q->pruned)
        return true;
    q->pruned = true;
    if (q->where != NULL)
        sink_condition(&where, q->where);
    if (!prune_values(cx, q))
        return false;
    if (q->having != NULL)
        sink_condition(&having, q->having);
    for (size_t i = 0; i < MR_ARRAY_LEN(roots); i++) {
        if (*roots[i] != NULL && !prune_slot(cx, roots[i]))
            return false;
    }
    for (size_t i = 0; i < q->noutputs; i++) {
        if (q->outputs[i].expr != NULL && !prune_slot(cx, &q->outputs[i].expr))
            return false;
    }
    for (size_t i = 0; i < q->nkeys; i++) {
        if (!prune_slot(cx, &q->keys[i]))
            return false;
    }
    for (size_t i = 0; i < q->aggregates.n; i++) {
        if (!prune_slot(cx, (struct bound_expr **)&q->aggregates.items[i]))
            return false;
    }
    for (size_t i = 0; i < q->norder; i++) {
        if (q->order[i].expr != NULL && !prune_slot(cx, &q->order[i].expr))
            return false;
    }
    for (size_t i = 0; i < q->nrows * q->noutputs; i++) {
        if (!prune_slot(cx, &q->rows[i / q->noutputs][i % q->noutputs]))
            return false;
    }
    for (size_t i = 0; i < q->nwith; i++) {
        if (!prune_query(cx, q->with[i]->query))
            return false;
    }
    if (q->kind == BOUND_SETOP && (!prune_query(cx, q->left) || !prune_query(cx, q->right)))
        return false;
    return prune_relation(cx, q->from) && cx->status == MR_OK;
}
