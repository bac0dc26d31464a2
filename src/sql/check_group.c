/* sql/check_group.c - GROUP BY: keys, grouping sets, and the step from the rows of FROM to the rows of
 * groups.
 *
 * A grouped block is two levels: the inner one gives a column per key and per aggregate, the outer one
 * computes the select list from those. check_grouped moves an expression from the first level to the second.
 */
#include "sql/bound.h"

#include <stdlib.h>

#define MAX_SETS 4096
#define MAX_SETS_CLAUSES 16
#define MAX_SETS_KEYS 65536 /* of all sets together */

static bool add_key(struct check *c, struct bound_expr *e, const struct ast_expr *ast, struct sql_list *keys,
                    size_t *index)
{
    if (!sql_is_comparable(e->type)) {
        struct mr_str type = check_type_text(c->cx, e->type);
        return sql_fail(c->cx, ast->pos,
                        MR_STR_FMT " is not comparable, and therefore cannot be used in GROUP BY",
                        MR_STR_ARG(type));
    }
    for (size_t i = 0; i < keys->n; i++) {
        if (bound_equal(keys->items[i], e)) {
            *index = i;
            return true;
        }
    }
    if (keys->n == SQL_MAX_COLUMNS)
        return sql_fail(c->cx, ast->pos, "GROUP BY has more than %d expressions", SQL_MAX_COLUMNS);
    *index = keys->n;
    return sql_push(c->cx, keys, e);
}

static bool find_aggregate(void *ctx, struct bound_expr **slot)
{
    MR_UNUSED(ctx);
    enum bound_kind k = (*slot)->kind;
    return k != BOUND_AGGREGATE && k != BOUND_WINDOW && k != BOUND_GROUPING &&
           bound_children(*slot, find_aggregate, NULL);
}

/* An ordinal or an expression. */
static bool check_key(struct check *c, struct bound_query *q, const struct ast_expr *ast,
                      struct sql_list *keys, size_t *index)
{
    if (ast->kind != AST_INTEGER) {
        struct bound_expr *e = check_expr(c, ast);
        return e != NULL && add_key(c, e, ast, keys, index);
    }
    if (ast->i64 < 1 || (uint64_t)ast->i64 > q->noutputs)
        return sql_fail(c->cx, ast->pos, "GROUP BY position %lld is not in select list", (long long)ast->i64);
    struct bound_expr *e = q->outputs[ast->i64 - 1].expr;
    if (!find_aggregate(NULL, &e))
        return sql_fail(
            c->cx, ast->pos,
            "GROUP BY clause cannot contain aggregations, window functions or grouping operations: "
            "[position %lld]",
            (long long)ast->i64);
    return add_key(c, e, ast, keys, index);
}

static bool push_set(struct sql_context *cx, struct sql_list *sets, const size_t *keys, size_t n)
{
    struct bound_set *s = SQL_NEW(cx, struct bound_set);
    if (s == NULL || (s->keys = SQL_ARRAY_NEW(cx, n, size_t)) == NULL)
        return false;
    memcpy(s->keys, keys, n * sizeof *keys);
    s->nkeys = n;
    return sql_push(cx, sets, s);
}

/* The keys of the parts chosen by the bits of mask, of all parts of a CUBE or ROLLUP. */
static bool push_parts(struct sql_context *cx, struct sql_list *sets, struct bound_set *parts, size_t nparts,
                       uint64_t mask)
{
    size_t n = 0;
    for (size_t i = 0; i < nparts; i++)
        n += parts[i].nkeys;
    size_t *keys = SQL_ARRAY_NEW(cx, n, size_t);
    if (keys == NULL)
        return false;
    n = 0;
    for (size_t i = 0; i < nparts; i++) {
        for (size_t k = 0; (mask >> i & 1) != 0 && k < parts[i].nkeys; k++)
            keys[n++] = parts[i].keys[k];
    }
    return push_set(cx, sets, keys, n);
}

/* The sets one element stands for. */
static bool element_sets(struct check *c, struct bound_query *q, const struct ast_group *g,
                         struct sql_list *keys, struct sql_list *sets)
{
    struct bound_set *parts = SQL_ARRAY_NEW(c->cx, g->nsets, struct bound_set);
    if (parts == NULL)
        return false;
    for (size_t i = 0; i < g->nsets; i++) {
        parts[i].nkeys = g->sets[i]->nitems;
        if ((parts[i].keys = SQL_ARRAY_NEW(c->cx, parts[i].nkeys, size_t)) == NULL)
            return false;
        for (size_t k = 0; k < parts[i].nkeys; k++) {
            if (!check_key(c, q, g->sets[i]->items[k], keys, &parts[i].keys[k]))
                return false;
        }
    }
    if (g->kind == AST_GROUP_CUBE && g->nsets > 12)
        return sql_fail(c->cx, g->pos, "CUBE has more than 12 elements");
    if (g->kind == AST_GROUP_ROLLUP && g->nsets > 63)
        return sql_fail(c->cx, g->pos, "ROLLUP has more than 63 elements");
    switch (g->kind) {
    case AST_GROUP_CUBE:
        for (uint64_t mask = UINT64_C(1) << g->nsets; mask > 0; mask--) {
            if (!push_parts(c->cx, sets, parts, g->nsets, mask - 1))
                return false;
        }
        return true;
    case AST_GROUP_ROLLUP:
        for (size_t n = g->nsets + 1; n > 0; n--) {
            if (!push_parts(c->cx, sets, parts, g->nsets, (UINT64_C(1) << (n - 1)) - 1))
                return false;
        }
        return true;
    default:
        for (size_t i = 0; i < g->nsets; i++) {
            if (!push_set(c->cx, sets, parts[i].keys, parts[i].nkeys))
                return false;
        }
        return true;
    }
}

/* Every set of a with every set of b. */
static bool cross_sets(struct check *c, size_t pos, const struct sql_list *a, const struct sql_list *b,
                       struct sql_list *out)
{
    if (a->n * b->n > MAX_SETS)
        return sql_fail(c->cx, pos, "GROUP BY has more than %d grouping sets", MAX_SETS);
    size_t total = 0;
    for (size_t i = 0; i < a->n; i++) {
        for (size_t k = 0; k < b->n; k++) {
            const struct bound_set *x = a->items[i], *y = b->items[k];
            total += x->nkeys + y->nkeys;
            if (total > MAX_SETS_KEYS)
                return sql_fail(c->cx, pos, "GROUP BY has more than %d keys in its grouping sets",
                                MAX_SETS_KEYS);
            size_t *keys = SQL_ARRAY_NEW(c->cx, x->nkeys + y->nkeys, size_t);
            if (keys == NULL)
                return false;
            memcpy(keys, x->keys, x->nkeys * sizeof *keys);
            memcpy(keys + x->nkeys, y->keys, y->nkeys * sizeof *keys);
            if (!push_set(c->cx, out, keys, x->nkeys + y->nkeys))
                return false;
        }
    }
    return true;
}

static int by_number(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static bool same_keys(const struct bound_set *a, const struct bound_set *b)
{
    return a->nkeys == b->nkeys &&
           (a->nkeys == 0 || memcmp(a->keys, b->keys, a->nkeys * sizeof *a->keys) == 0);
}

/* GROUP BY DISTINCT: each set once, whatever the order of its keys. */
static void drop_equal_sets(struct bound_query *q)
{
    size_t n = 0;
    for (size_t i = 0; i < q->nsets; i++) {
        struct bound_set *set = &q->sets[i];
        size_t keys = 0, k = 0;
        if (set->nkeys > 0)
            qsort(set->keys, set->nkeys, sizeof *set->keys, by_number);
        for (; k < set->nkeys; k++) {
            if (k == 0 || set->keys[k] != set->keys[keys - 1])
                set->keys[keys++] = set->keys[k];
        }
        set->nkeys = keys;
        for (k = 0; k < n && !same_keys(&q->sets[k], set); k++)
            ;
        if (k == n)
            q->sets[n++] = *set;
    }
    q->nsets = n;
}

/* The plain elements are one set, made first; each CUBE, ROLLUP and GROUPING SETS multiplies it. */
bool check_group_by(struct check *c, struct bound_query *q, const struct ast_select *s)
{
    struct sql_list keys = {NULL, 0, 0}, sets = {NULL, 0, 0};
    size_t nsets = 0, index;
    for (size_t i = 0; i < s->ngroups; i++) {
        const struct ast_group_set *set = s->groups[i]->sets[0];
        bool plain = s->groups[i]->kind == AST_GROUP_EXPR;
        nsets += !plain;
        for (size_t k = 0; plain && k < set->nitems; k++) {
            if (!check_key(c, q, set->items[k], &keys, &index))
                return false;
        }
    }
    size_t *plain_keys = SQL_ARRAY_NEW(c->cx, keys.n, size_t);
    for (size_t i = 0; plain_keys != NULL && i < keys.n; i++)
        plain_keys[i] = i;
    if (plain_keys == NULL || !push_set(c->cx, &sets, plain_keys, keys.n))
        return false;
    if (nsets > MAX_SETS_CLAUSES)
        return sql_fail(c->cx, s->pos, "GROUP BY has more than %d CUBE, ROLLUP and GROUPING SETS",
                        MAX_SETS_CLAUSES);
    for (size_t i = 0; i < s->ngroups; i++) {
        struct sql_list mine = {NULL, 0, 0}, next = {NULL, 0, 0};
        if (s->groups[i]->kind == AST_GROUP_EXPR)
            continue;
        if (!element_sets(c, q, s->groups[i], &keys, &mine) ||
            !cross_sets(c, s->groups[i]->pos, &sets, &mine, &next))
            return false;
        sets = next;
    }
    q->keys = (struct bound_expr **)keys.items;
    q->nkeys = keys.n;
    if (nsets == 0)
        return true; /* one set of all keys */
    q->nsets = sets.n;
    q->sets = SQL_ARRAY_NEW(c->cx, sets.n, struct bound_set);
    for (size_t i = 0; q->sets != NULL && i < sets.n; i++)
        q->sets[i] = *(struct bound_set *)sets.items[i];
    if (q->sets != NULL && s->group_distinct)
        drop_equal_sets(q);
    return q->sets != NULL;
}

bool check_group_relation(struct sql_context *cx, struct bound_query *q)
{
    struct bound_relation *r = SQL_NEW(cx, struct bound_relation);
    if (r == NULL || (r->columns = SQL_ARRAY_NEW(cx, q->nkeys, struct bound_column)) == NULL)
        return false;
    r->kind = BOUND_GROUP;
    r->number = cx->next_table++;
    r->ncolumns = q->nkeys;
    r->query = q;
    for (size_t i = 0; i < q->nkeys; i++)
        r->columns[i].type = q->keys[i]->type;
    q->group = r;
    return true;
}

struct regroup {
    struct sql_context *cx;
    struct bound_query *q;
    struct mr_str what; /* of the whole expression, for the error */
    size_t pos;
    unsigned inside; /* subqueries around: their aggregates are their own */
};

static struct bound_expr *group_column(struct regroup *g, struct bound_expr *old, size_t index)
{
    struct bound_expr *e = bound_new(g->cx, BOUND_COLUMN, old->pos, old->type, 0);
    if (e != NULL) {
        e->relation = g->q->group;
        e->index = index;
    }
    return e;
}

/* The column of an aggregate; a new one unless the same was met before. */
static bool add_aggregate(struct regroup *g, struct bound_expr **slot)
{
    struct bound_query *q = g->q;
    struct bound_relation *r = q->group;
    size_t i = 0;
    while (i < q->aggregates.n && !bound_equal(q->aggregates.items[i], *slot))
        i++;
    if (i == q->aggregates.n) {
        if (i == SQL_MAX_COLUMNS)
            return sql_fail(g->cx, (*slot)->pos, "Query has more than %d aggregates", SQL_MAX_COLUMNS);
        if (!sql_push(g->cx, &q->aggregates, *slot))
            return false;
        struct bound_column *columns = SQL_ARRAY_NEW(g->cx, r->ncolumns + 1, struct bound_column);
        if (columns == NULL)
            return false;
        if (r->ncolumns > 0)
            memcpy(columns, r->columns, r->ncolumns * sizeof *columns);
        columns[r->ncolumns].type = (*slot)->type;
        r->columns = columns;
        r->ncolumns++;
    }
    *slot = group_column(g, *slot, q->nkeys + i);
    return *slot != NULL;
}

static bool not_grouped(struct regroup *g)
{
    return sql_fail(g->cx, g->pos,
                    "'" MR_STR_FMT "' must be an aggregate expression or appear in GROUP BY clause",
                    MR_STR_ARG(g->what));
}

static bool check_grouping_args(struct regroup *g, const struct bound_expr *e)
{
    for (size_t i = 0; i < e->nargs; i++) {
        bool found = false;
        for (size_t k = 0; k < g->q->nkeys; k++)
            found = found || bound_equal(g->q->keys[k], e->args[i]);
        if (!found)
            return sql_fail(g->cx, e->pos,
                            "The arguments to GROUPING() must be expressions referenced by the GROUP BY "
                            "at the associated query level");
    }
    return true;
}

static bool regroup(void *ctx, struct bound_expr **slot)
{
    struct regroup *g = ctx;
    struct bound_expr *e = *slot;
    for (size_t i = 0; i < g->q->nkeys; i++) {
        if (bound_equal(g->q->keys[i], e)) {
            *slot = group_column(g, e, i);
            return *slot != NULL;
        }
    }
    if (e->kind == BOUND_AGGREGATE && g->inside == 0)
        return add_aggregate(g, slot);
    if (e->kind == BOUND_GROUPING && g->inside == 0)
        return check_grouping_args(g, e) && add_aggregate(g, slot);
    if (e->kind == BOUND_COLUMN && relation_holds(g->q->from, e->relation))
        return not_grouped(g);
    g->inside++;
    bool ok = e->query == NULL || bound_query_walk(e->query, regroup, g);
    g->inside--;
    if (!ok)
        return false;
    return bound_children(e, regroup, g);
}

bool check_grouped(struct sql_context *cx, struct bound_query *q, struct bound_expr **e, struct mr_str what,
                   size_t pos)
{
    struct regroup g = {cx, q, what, pos, 0};
    return *e == NULL || regroup(&g, e);
}
