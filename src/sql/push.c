/* sql/push.c - recognises grouped queries whose rows a scan can aggregate, and says why others are not. */
#include "sql/push.h"

#include "sql/calendar.h"

struct builder {
    struct sql_context *cx;
    const struct bound_relation *r;
    struct sql_groups *groups;
    uint32_t *keys;
    struct sql_fold *folds;
    size_t *columns; /* of each fold, among the columns of the groups */
    size_t next;     /* column after the last fold's */
    struct mr_str
        measure; /* of the aggregate at hand: counts rows of this measure name only; ptr NULL: all */
};

/* ---- keys ---- */

static const struct sql_column *source_of(const struct builder *b, const struct bound_expr *e)
{
    return e->kind == BOUND_COLUMN && e->relation == b->r ? b->r->columns[e->index].source : NULL;
}

static bool is_time(const struct builder *b, const struct bound_expr *e)
{
    const struct sql_column *c = source_of(b, e);
    return c != NULL && c->role == SQL_ROLE_TIME;
}

/* bin(time, constant), date_trunc of a fixed width */
static bool bin_of(const struct builder *b, const struct bound_expr *e, int64_t *width, int64_t *origin)
{
    enum sql_unit unit;
    if (e->kind != BOUND_CALL || e->nargs != 2)
        return false;
    *origin = 0;
    if (strcmp(e->pattern, "mr_bin($1, $2)") == 0) {
        *width = bound_is_const(e->args[1]) ? e->args[1]->i64 : 0;
        return *width > 0 && is_time(b, e->args[0]);
    }
    if (strcmp(e->pattern, "mr_date_trunc_ts($1, $2)") != 0 || !bound_is_const(e->args[0]) ||
        !sql_unit_of(e->args[0]->text, &unit))
        return false;
    *width = sql_unit_ns(unit);
    if (unit == SQL_UNIT_WEEK)
        *origin = 4 * SQL_NS_DAY; /* the first Monday */
    return *width > 0 && unit <= SQL_UNIT_WEEK && is_time(b, e->args[1]);
}

static const char *take_keys(struct builder *b, const struct bound_query *q, size_t *columns)
{
    struct sql_groups *g = b->groups;
    for (size_t i = 0; i < q->nkeys; i++) {
        const struct sql_column *c = source_of(b, q->keys[i]);
        int64_t width, origin;
        if (c != NULL && (c->role == SQL_ROLE_DIMENSION || c->role == SQL_ROLE_MEASURE_NAME)) {
            size_t at = 0;
            while (at < g->nkeys && b->keys[at] != c->number)
                at++;
            if (at == g->nkeys)
                b->keys[g->nkeys++] = c->number;
            columns[i] = at;
        } else if (bin_of(b, q->keys[i], &width, &origin) &&
                   (g->bin_ns == 0 || (g->bin_ns == width && g->bin_origin == origin))) {
            g->bin_ns = width;
            g->bin_origin = origin;
            columns[i] = SIZE_MAX; /* known when all keys are */
        } else if (is_time(b, q->keys[i]) && (g->bin_ns == 0 || g->bin_ns == 1)) {
            g->bin_ns = 1; /* each time is a bin */
            columns[i] = SIZE_MAX;
        } else {
            return "a key is neither a dimension nor the only bin of time";
        }
    }
    for (size_t i = 0; i < q->nkeys; i++)
        if (columns[i] == SIZE_MAX)
            columns[i] = g->nkeys;
    b->next = g->nkeys + (g->bin_ns != 0);
    return NULL;
}

/* ---- pivots ---- */

/* measure_name = 'a', either way round: 'a'; else ptr NULL. */
static struct mr_str measure_of(const struct builder *b, const struct bound_expr *e)
{
    for (size_t i = 0; i < 2 && e->kind == BOUND_COMPARE && e->op == AST_EQ; i++) {
        const struct sql_column *c = source_of(b, e->args[i]);
        const struct bound_expr *text = e->args[1 - i];
        if (c != NULL && c->role == SQL_ROLE_MEASURE_NAME && bound_is_const(text))
            return text->text;
    }
    return MR_STR_NULL;
}

/* CASE WHEN measure_name = 'a' THEN x END, or CASE measure_name WHEN 'a' THEN x END: x, and 'a'. Any other
 * expression is itself, of all names. */
static const struct bound_expr *unwrap(const struct builder *b, const struct bound_expr *e,
                                       struct mr_str *measure)
{
    *measure = MR_STR_NULL;
    if (e->kind != BOUND_CASE || e->nargs != (size_t)(e->op != 0 ? 4 : 3))
        return e;
    const struct bound_expr *otherwise = e->args[e->nargs - 1];
    if (otherwise->kind != BOUND_CONST || !otherwise->null)
        return e;
    if (e->op == 0) {
        *measure = measure_of(b, e->args[0]);
    } else {
        const struct sql_column *c = source_of(b, e->args[0]);
        if (c != NULL && c->role == SQL_ROLE_MEASURE_NAME && bound_is_const(e->args[1]))
            *measure = e->args[1]->text;
    }
    return measure->ptr != NULL ? e->args[e->nargs - 2] : e;
}

/* ---- aggregates ---- */

/* The column of that fold, which may be there already. False: there are too many. */
static bool add_fold(struct builder *b, enum sql_fold_op op, const struct sql_column *c, size_t *column)
{
    struct sql_groups *g = b->groups;
    const struct sql_fold fold = {op, c != NULL ? c->number : 0, c != NULL ? c->kind : SQL_UNKNOWN,
                                  b->measure};
    for (size_t i = 0; i < g->nfolds; i++) {
        const struct sql_fold *f = &b->folds[i];
        if (f->op == op && f->column == fold.column &&
            (f->measure.ptr == NULL) == (fold.measure.ptr == NULL) && mr_str_eq(f->measure, fold.measure)) {
            *column = b->columns[i];
            return true;
        }
    }
    if (g->nfolds == SQL_FOLDS_MAX)
        return false;
    *column = b->columns[g->nfolds] = b->next;
    b->folds[g->nfolds++] = fold;
    b->next += op == SQL_FOLD_MOMENTS ? 3 : op == SQL_FOLD_FIRST || op == SQL_FOLD_LAST ? 2 : 1;
    return true;
}

/* A column of values, or time; for one measure name perhaps. */
static const struct sql_column *value_of(struct builder *b, const struct bound_expr *e)
{
    struct mr_str measure;
    e = unwrap(b, e, &measure);
    if (measure.ptr != NULL && b->measure.ptr != NULL && !mr_str_eq(measure, b->measure))
        return NULL;
    if (measure.ptr != NULL)
        b->measure = measure;
    const struct sql_column *c = source_of(b, e);
    return c != NULL && c->role != SQL_ROLE_DIMENSION && c->role != SQL_ROLE_MEASURE_NAME ? c : NULL;
}

static const struct sql_column *number_of(struct builder *b, const struct bound_expr *e)
{
    const struct sql_column *c = value_of(b, e);
    return c != NULL && (c->kind == SQL_DOUBLE || c->kind == SQL_BIGINT) ? c : NULL;
}

/* x, or the x of CAST(x AS DOUBLE) */
static const struct sql_column *number_as_double(struct builder *b, const struct bound_expr *e)
{
    if (e->kind == BOUND_CALL && e->nargs == 1 && strcmp(e->pattern, "CAST($1 AS DOUBLE)") == 0)
        e = e->args[0];
    return number_of(b, e);
}

static bool take_variance(struct builder *b, const struct bound_expr *e, struct sql_part *out)
{
    static const struct {
        const char *pattern;
        enum sql_part_how how;
    } all[] = {{"mr_var_pop{$1}", SQL_PART_VAR_POP},
               {"mr_var_samp{$1}", SQL_PART_VAR_SAMP},
               {"mr_stddev_pop{$1}", SQL_PART_STDDEV_POP},
               {"mr_stddev_samp{$1}", SQL_PART_STDDEV_SAMP}};
    size_t i = 0;
    while (i < MR_ARRAY_LEN(all) && strcmp(e->pattern, all[i].pattern) != 0)
        i++;
    if (i == MR_ARRAY_LEN(all))
        return false;
    const struct sql_column *c = number_as_double(b, e->args[0]);
    out->how = all[i].how;
    if (c == NULL || !add_fold(b, SQL_FOLD_MOMENTS, c, &out->column))
        return false;
    out->other = out->column + 1;
    return true;
}

static bool take_average(struct builder *b, const struct bound_expr *e, struct sql_part *out)
{
    const struct sql_column *c = number_as_double(b, e->args[0]);
    out->how = SQL_PART_AVG;
    return c != NULL && add_fold(b, SQL_FOLD_SUM, c, &out->column) &&
           add_fold(b, SQL_FOLD_COUNT, c, &out->other);
}

static bool take_end(struct builder *b, const struct bound_expr *e, bool last, struct sql_part *out)
{
    struct mr_str measure, other;
    (void)unwrap(b, e->args[0], &measure);
    const struct bound_expr *time = unwrap(b, e->args[1], &other);
    /* A row whose value is left out counts with its time, unless that is left out, too. */
    if (measure.ptr != NULL && (other.ptr == NULL || !mr_str_eq(measure, other)))
        return false;
    if (other.ptr != NULL && value_of(b, e->args[1]) == NULL)
        return false;
    const struct sql_column *c = value_of(b, e->args[0]);
    if (c == NULL || c->kind == SQL_VARCHAR || !is_time(b, time))
        return false;
    out->how = last ? SQL_PART_LAST : SQL_PART_FIRST;
    if (!add_fold(b, last ? SQL_FOLD_LAST : SQL_FOLD_FIRST, c, &out->column))
        return false;
    out->other = out->column + 1;
    return true;
}

static bool take_best(struct builder *b, const struct bound_expr *e, bool max, struct sql_part *out)
{
    const struct sql_column *c = value_of(b, e->args[0]);
    if (c == NULL || c->kind == SQL_VARCHAR || c->kind == SQL_BOOLEAN)
        return false;
    out->how = max ? SQL_PART_MAX : SQL_PART_MIN;
    return add_fold(b, max ? SQL_FOLD_MAX : SQL_FOLD_MIN, c, &out->column);
}

static bool take_count(struct builder *b, const struct bound_expr *e, struct sql_part *out)
{
    struct mr_str measure;
    const struct bound_expr *counted = unwrap(b, e, &measure);
    const struct sql_column *c = value_of(b, e);
    if (c != NULL)
        return add_fold(b, SQL_FOLD_COUNT, c, &out->column);
    return bound_is_const(counted) && (measure.ptr == NULL || mr_str_eq(measure, b->measure)) &&
           add_fold(b, SQL_FOLD_ROWS, NULL, &out->column);
}

static bool take_aggregate(struct builder *b, const struct bound_expr *e, struct sql_part *out)
{
    const char *p = e->pattern;
    if (e->kind != BOUND_AGGREGATE || e->distinct || e->ignore_nulls || e->norder > 0)
        return false;
    b->measure = e->filter != NULL ? measure_of(b, e->filter) : MR_STR_NULL;
    if (e->filter != NULL && b->measure.ptr == NULL)
        return false;
    out->how = SQL_PART_COUNT;
    if (strcmp(p, "count{*}") == 0)
        return add_fold(b, SQL_FOLD_ROWS, NULL, &out->column);
    if (e->nargs == 1 && strcmp(p, "count{$1}") == 0)
        return take_count(b, e->args[0], out);
    if (e->nargs == 1 && (strcmp(p, "sum{$1}") == 0 || strcmp(p, "mr_narrow_sum(sum{$1})") == 0)) {
        const struct sql_column *c = number_of(b, e->args[0]);
        out->how = p[0] == 's' ? SQL_PART_SUM : SQL_PART_SUM_NARROW;
        return c != NULL && (c->kind == SQL_DOUBLE) == (p[0] == 's') &&
               add_fold(b, SQL_FOLD_SUM, c, &out->column);
    }
    if (e->nargs == 1 && (strcmp(p, "min{$1}") == 0 || strcmp(p, "max{$1}") == 0))
        return take_best(b, e, p[1] == 'a', out);
    if (e->nargs == 1 && strcmp(p, "avg{$1}") == 0)
        return take_average(b, e, out);
    if (e->nargs == 2 && (strcmp(p, "arg_max_null{$1, $2}") == 0 || strcmp(p, "arg_min_null{$1, $2}") == 0))
        return take_end(b, e, p[5] == 'a', out);
    return e->nargs == 1 && take_variance(b, e, out);
}

/* ---- the query ---- */

static bool get_room(struct builder *b, const struct bound_query *q, struct push *push, size_t **keys,
                     struct sql_part **aggregates)
{
    b->groups = SQL_NEW(b->cx, struct sql_groups);
    b->keys = SQL_ARRAY_NEW(b->cx, q->nkeys + 1, uint32_t);
    b->folds = SQL_ARRAY_NEW(b->cx, SQL_FOLDS_MAX, struct sql_fold);
    b->columns = SQL_ARRAY_NEW(b->cx, SQL_FOLDS_MAX, size_t);
    *keys = SQL_ARRAY_NEW(b->cx, q->nkeys + 1, size_t);
    *aggregates = SQL_ARRAY_NEW(b->cx, q->aggregates.n + 1, struct sql_part);
    if (b->groups == NULL || b->keys == NULL || b->folds == NULL || b->columns == NULL || *keys == NULL ||
        *aggregates == NULL)
        return false;
    b->groups->keys = b->keys;
    b->groups->folds = b->folds;
    *push = (struct push){b->groups, *keys, *aggregates};
    return true;
}

/* NULL: it fits, and the push is filled; else the reason, or "" after a failure. */
static const char *try_push(struct builder *b, const struct bound_query *q, struct push *push)
{
    size_t *keys;
    struct sql_part *aggregates;
    if (q->sets != NULL)
        return "there are several sets of keys";
    if (q->where != NULL && !push_where_is_said(b->r, q->where))
        return "WHERE asks for more than ranges of time, values of dimensions and measure_name, and "
               "comparisons of "
               "measures with constants";
    if (!get_room(b, q, push, &keys, &aggregates))
        return "";
    const char *why = take_keys(b, q, keys);
    for (size_t i = 0; i < q->aggregates.n && why == NULL; i++) {
        if (q->group->columns[q->nkeys + i].used &&
            !take_aggregate(b, q->aggregates.items[i], &aggregates[i]))
            why = "an aggregate is not count, sum, avg, min, max, a variance or deviation, max_by or min_by "
                  "over time, of a column, "
                  "perhaps of one measure_name, or there are too many";
    }
    return why;
}

const struct push *push_find(struct sql_context *cx, const struct bound_query *q)
{
    if (!cx->env->groups || cx->env->plain || !q->grouped || q->from == NULL || q->from->kind != BOUND_SCAN)
        return NULL;
    struct builder b = {.cx = cx, .r = q->from};
    struct push *push = SQL_NEW(cx, struct push);
    if (push == NULL)
        return NULL;
    q->from->scan->why_rows = try_push(&b, q, push);
    return q->from->scan->why_rows == NULL ? push : NULL;
}
