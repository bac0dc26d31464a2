#include "store/filter.h"

#include "store/private.h"

#include <math.h>

_Static_assert(STORE_FILTER_EQ == (int)MAGSTORE_FILTER_EQ &&
                   STORE_FILTER_NOT_NULL == (int)MAGSTORE_FILTER_NOT_NULL,
               "filters have one numbering");
_Static_assert(STORE_BATCH_ROWS <= UINT16_MAX, "a row of a batch has 16 bits");

bool filter_fits(const struct store_filter *f, enum store_type column)
{
    if (f->op == STORE_FILTER_IS_NULL || f->op == STORE_FILTER_NOT_NULL)
        return true;
    if (f->value.type != column || f->op > STORE_FILTER_NOT_NULL ||
        (column == STORE_DOUBLE && isnan(f->value.f64)))
        return false;
    return f->op <= STORE_FILTER_NE || column == STORE_DOUBLE || column == STORE_BIGINT ||
           column == STORE_TIMESTAMP;
}

struct magstore_filter filter_of_blocks(const struct store_filter *f)
{
    struct magstore_filter out = {
        .column = f->column, .op = (enum magstore_filter_op)f->op, .type = (enum magstore_type)f->value.type};
    if (f->value.type == STORE_DOUBLE)
        out.f64 = f->value.f64;
    else if (f->value.type == STORE_BIGINT || f->value.type == STORE_TIMESTAMP)
        out.i64 = f->value.i64;
    return out;
}

#define PASS_IF(op)                                                                                          \
    for (size_t i = 0; i < rows; i++)                                                                        \
    pass[i] &= v[i] op x

#define PASS_BY(filter_op)                                                                                   \
    switch (filter_op) {                                                                                     \
    case STORE_FILTER_EQ:                                                                                    \
        PASS_IF(==);                                                                                         \
        break;                                                                                               \
    case STORE_FILTER_NE:                                                                                    \
        PASS_IF(!=);                                                                                         \
        break;                                                                                               \
    case STORE_FILTER_LT:                                                                                    \
        PASS_IF(<);                                                                                          \
        break;                                                                                               \
    case STORE_FILTER_LE:                                                                                    \
        PASS_IF(<=);                                                                                         \
        break;                                                                                               \
    case STORE_FILTER_GT:                                                                                    \
        PASS_IF(>);                                                                                          \
        break;                                                                                               \
    default:                                                                                                 \
        PASS_IF(>=);                                                                                         \
        break;                                                                                               \
    }

/* NaN is the greatest, so it is what "not less" lets through. */
static void by_double(const struct store_filter *f, const double *v, size_t rows, uint8_t *pass)
{
    double x = f->value.f64;
    if (f->op == STORE_FILTER_GT)
        for (size_t i = 0; i < rows; i++)
            pass[i] &= !(v[i] <= x);
    else if (f->op == STORE_FILTER_GE)
        for (size_t i = 0; i < rows; i++)
            pass[i] &= !(v[i] < x);
    else
        PASS_BY(f->op)
}

static void by_integer(const struct store_filter *f, const int64_t *v, size_t rows, uint8_t *pass)
{
    int64_t x = f->value.i64;
    PASS_BY(f->op)
}

static void by_other(const struct store_filter *f, const void *values, const uint8_t *valid, size_t rows,
                     uint8_t *pass)
{
    const struct mr_str *texts = values;
    const uint8_t *bools = values;
    for (size_t i = 0; i < rows; i++) {
        if (!pass[i] || (valid != NULL && !valid[i]))
            continue;
        bool same = f->value.type == STORE_VARCHAR ? mr_str_eq(texts[i], f->value.str)
                                                   : (bools[i] != 0) == f->value.boolean;
        pass[i] = same == (f->op == STORE_FILTER_EQ);
    }
}

static void by_values(const struct store_filter *f, const struct store_vec *vec, size_t rows, uint8_t *pass)
{
    if (vec->type == STORE_DOUBLE)
        by_double(f, vec->values, rows, pass);
    else if (vec->type == STORE_BIGINT || vec->type == STORE_TIMESTAMP)
        by_integer(f, vec->values, rows, pass);
    else
        by_other(f, vec->values, vec->valid, rows, pass);
    for (size_t i = 0; vec->valid != NULL && i < rows; i++)
        pass[i] &= vec->valid[i];
}

/* Of the first `rows` values, however many rows they stand for. */
static void by_filter(const struct store_filter *f, const struct store_vec *vec, size_t rows, uint8_t *pass)
{
    if (f->op < STORE_FILTER_IS_NULL) {
        by_values(f, vec, rows, pass);
        return;
    }
    uint8_t null = f->op == STORE_FILTER_IS_NULL;
    for (size_t i = 0; i < rows; i++)
        pass[i] &= (vec->valid != NULL && !vec->valid[i]) == null;
}

void filter_rows(const struct store_filter *f, const struct store_vec *vec, size_t rows, uint8_t *pass)
{
    uint8_t one = 1;
    if (!vec->constant) {
        by_filter(f, vec, rows, pass);
        return;
    }
    by_filter(f, vec, 1, &one);
    if (!one)
        memset(pass, 0, rows);
}

/* ---- packing ---- */

void filter_room_free(struct filter_room *room)
{
    mr_free(room->values);
    mr_free(room->valid);
}

int filter_pack(struct filter_room *room, struct store_vec *vec, const uint16_t *at, size_t kept)
{
    if (vec->constant)
        return MR_OK;
    size_t width = store_width((int)vec->type);
    if (room->values == NULL)
        room->values = mr_malloc(STORE_BATCH_ROWS * width);
    if (room->valid == NULL)
        room->valid = mr_malloc(STORE_BATCH_ROWS);
    if (room->values == NULL || room->valid == NULL)
        return MR_ENOMEM;
    if (width == 8)
        for (size_t i = 0; i < kept; i++)
            ((uint64_t *)room->values)[i] = ((const uint64_t *)vec->values)[at[i]];
    else if (width == 1)
        for (size_t i = 0; i < kept; i++)
            ((uint8_t *)room->values)[i] = ((const uint8_t *)vec->values)[at[i]];
    else
        for (size_t i = 0; i < kept; i++)
            ((struct mr_str *)room->values)[i] = ((const struct mr_str *)vec->values)[at[i]];
    for (size_t i = 0; vec->valid != NULL && i < kept; i++)
        room->valid[i] = vec->valid[at[i]];
    vec->valid = vec->valid != NULL ? room->valid : NULL;
    vec->values = room->values;
    return MR_OK;
}
