/* engine/finish_values.c - what is computed from a group: outputs, order keys, the tests of HAVING. */
#include "engine/finish.h"

#include <math.h>

/* ---- computing ---- */

static int narrow(const char *from, struct whole_value *out, struct mr_error *err)
{
    __int128 sum;
    memcpy(&sum, from, sizeof(sum));
    out->i64 = (int64_t)sum;
    if (out->valid && sum != out->i64)
        return mr_error_set(err, MR_EINVAL, "bigint addition overflow");
    return MR_OK;
}

static void average(const struct wholes *w, const struct sql_part *part, size_t row, struct whole_value *out)
{
    const struct whole_column *c = &w->columns[part->column];
    const char *at = whole_row(w, row);
    int64_t count = *(const int64_t *)(const void *)(at + w->columns[part->other].offset);
    __int128 wide;
    double sum;
    memcpy(&sum, at + c->offset, sizeof(sum));
    if (c->is.wide) {
        memcpy(&wide, at + c->offset, sizeof(wide));
        sum = (double)wide;
    }
    out->kind = SQL_DOUBLE;
    out->valid = out->valid && count != 0;
    out->f64 = out->valid ? sum / (double)count : 0;
}

/* As mr_var_pop, ... of the rows; the first column is the count. */
static void deviation(const struct wholes *w, const struct sql_part *part, size_t row,
                      struct whole_value *out)
{
    const char *at = whole_row(w, row);
    int64_t count = *(const int64_t *)(const void *)(at + w->columns[part->column].offset);
    double m2 = *(const double *)(const void *)(at + w->columns[part->other + 1].offset);
    bool sample = part->how == SQL_PART_VAR_SAMP || part->how == SQL_PART_STDDEV_SAMP;
    bool root = part->how == SQL_PART_STDDEV_POP || part->how == SQL_PART_STDDEV_SAMP;
    out->kind = SQL_DOUBLE;
    out->valid = count > sample;
    double variance = out->valid ? m2 / (double)(count - sample) : 0;
    out->f64 = root ? sqrt(variance) : variance;
}

int wholes_value(const struct wholes *w, const struct sql_part *part, size_t row, struct whole_value *out,
                 struct mr_error *err)
{
    const struct whole_column *c = &w->columns[part->column];
    const char *from = whole_row(w, row) + c->offset;
    *out = (struct whole_value){.kind = c->is.kind, .valid = whole_valid(w, row, part->column)};
    if (part->how == SQL_PART_COUNT)
        out->valid = true;
    if (part->how == SQL_PART_SUM_NARROW)
        return narrow(from, out, err);
    if (part->how == SQL_PART_AVG)
        average(w, part, row, out);
    else if (part->how >= SQL_PART_VAR_POP)
        deviation(w, part, row, out);
    else if (c->is.kind == SQL_VARCHAR)
        memcpy(&out->text, from, sizeof(out->text));
    else if (c->is.kind == SQL_BOOLEAN)
        out->i64 = *(const uint8_t *)(const void *)from;
    else
        memcpy(&out->i64, from, sizeof(out->i64)); /* of a double, too */
    return MR_OK;
}

int whole_compare_doubles(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static int compare_texts(struct mr_str a, struct mr_str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int whole_compare(const struct whole_value *a, const struct whole_value *b)
{
    if (a->kind == SQL_VARCHAR)
        return compare_texts(a->text, b->text);
    if (a->kind == SQL_DOUBLE)
        return whole_compare_doubles(a->f64, b->f64);
    return (a->i64 > b->i64) - (a->i64 < b->i64);
}

/* ---- tests ---- */

static bool passes(const struct whole_value *v, const struct sql_filter *test)
{
    struct whole_value want = {.kind = test->kind, .valid = true};
    if (!v->valid)
        return false;
    if (test->kind == SQL_VARCHAR)
        want.text = test->text;
    else
        want.i64 = test->i64;                   /* of a double, too */
    if (v->kind == SQL_DOUBLE && isnan(v->f64)) /* nothing but unequal, as in the statement */
        return test->op == SQL_FILTER_NE;
    int order = whole_compare(v, &want);
    switch (test->op) {
    case SQL_FILTER_EQ:
        return order == 0;
    case SQL_FILTER_NE:
        return order != 0;
    case SQL_FILTER_LT:
        return order < 0;
    case SQL_FILTER_LE:
        return order <= 0;
    case SQL_FILTER_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

bool wholes_pass(const struct wholes *w, size_t row, const struct sql_finish *plan)
{
    bool pass = true;
    for (size_t i = 0; i < plan->ntests && pass; i++) {
        struct whole_value v;
        (void)wholes_value(w, &plan->tests[i].part, row, &v, NULL); /* none of those that fail */
        pass = passes(&v, &plan->tests[i].test);
    }
    return pass;
}

bool whole_part_passes(const struct wholes *w, const struct store_groups *part, size_t at,
                       const struct sql_finish *plan)
{
    bool pass = true;
    for (size_t i = 0; i < plan->ntests && pass; i++) {
        const struct sql_part *p = &plan->tests[i].part;
        const struct store_vec *vec = &part->cols[p->column];
        struct whole_value v = {.kind = w->columns[p->column].is.kind,
                                .valid = vec->valid == NULL || vec->valid[at]};
        if ((p->how != SQL_PART_MIN && p->how != SQL_PART_MAX && p->how != SQL_PART_COUNT) ||
            v.kind == SQL_VARCHAR || v.kind == SQL_BOOLEAN)
            continue;
        v.i64 = ((const int64_t *)vec->values)[at]; /* of a double, too */
        pass = passes(&v, &plan->tests[i].test);
    }
    return pass;
}
