/* engine/finish_groups.c - parts of groups put together: a hash of keys over rows of fixed width. */
#include "engine/finish.h"

#include "base/hash.h"
#include "base/moments.h"

enum { FIRST_SLOTS = 64 };

/* ---- the form of a row ---- */

static enum whole_role role_of(enum sql_fold_op op)
{
    static const enum whole_role roles[] = {
        [SQL_FOLD_ROWS] = WHOLE_ADD,    [SQL_FOLD_COUNT] = WHOLE_ADD,       [SQL_FOLD_SUM] = WHOLE_ADD,
        [SQL_FOLD_MIN] = WHOLE_LEAST,   [SQL_FOLD_MAX] = WHOLE_MOST,        [SQL_FOLD_FIRST] = WHOLE_EARLIEST,
        [SQL_FOLD_LAST] = WHOLE_LATEST, [SQL_FOLD_MOMENTS] = WHOLE_MOMENTS,
    };
    return roles[op];
}

static void set_roles(struct wholes *w, const struct sql_groups *g)
{
    size_t at = 0;
    while (at < g->nkeys)
        w->columns[at++].role = WHOLE_KEY;
    if (g->bin_ns != 0)
        w->columns[at++].role = WHOLE_BIN;
    w->nkeys = at;
    for (size_t i = 0; i < g->nfolds; i++) {
        enum whole_role role = role_of(g->folds[i].op);
        w->columns[at++].role = role;
        if (role == WHOLE_EARLIEST || role == WHOLE_LATEST || role == WHOLE_MOMENTS)
            w->columns[at++].role = WHOLE_REST;
        if (role == WHOLE_MOMENTS)
            w->columns[at++].role = WHOLE_REST;
    }
    MR_ASSERT(at == w->ncolumns);
}

int wholes_init(struct wholes *w, const struct sql_groups *groups)
{
    *w = (struct wholes){.ncolumns = scan_groups_columns(groups), .texts = MR_ARENA_INIT};
    w->columns = mr_calloc(w->ncolumns + 1, sizeof(*w->columns));
    if (w->columns == NULL)
        return MR_ENOMEM;
    set_roles(w, groups);
    for (size_t i = 0; i < w->ncolumns; i++) {
        struct whole_column *c = &w->columns[i];
        c->is = scan_groups_column(groups, i);
        c->width = c->is.kind == SQL_VARCHAR   ? sizeof(struct mr_str)
                   : c->is.wide                ? sizeof(__int128)
                   : c->is.kind == SQL_BOOLEAN ? 1
                                               : 8;
        c->offset = w->row_bytes;
        w->row_bytes += (c->width + 7) / 8 * 8;
    }
    w->valid_at = w->row_bytes;
    w->row_bytes += (w->ncolumns + 7) / 8 * 8;
    return MR_OK;
}

void wholes_release(struct wholes *w)
{
    mr_free(w->columns);
    mr_free(w->rows);
    mr_free(w->slots);
    mr_arena_release(&w->texts);
    *w = (struct wholes){.texts = MR_ARENA_INIT};
}

size_t wholes_bytes(const struct wholes *w)
{
    return w->rows_cap + w->nslots * sizeof(*w->slots) + w->texts.total;
}

/* ---- finding ---- */

static struct mr_str text_at(const struct wholes *w, size_t row, size_t column)
{
    struct mr_str text;
    memcpy(&text, whole_row(w, row) + w->columns[column].offset, sizeof(text));
    return text;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t hash_text(uint64_t hash, bool valid, struct mr_str text)
{
    return valid ? mr_hash64(text.ptr, text.len, hash) : mix(hash, 7);
}

static uint64_t hash_part(const struct wholes *w, const struct store_groups *part, size_t row)
{
    uint64_t hash = mr_hash_seed();
    for (size_t i = 0; i < w->nkeys; i++) {
        const struct store_vec *vec = &part->cols[i];
        if (w->columns[i].role == WHOLE_BIN)
            hash = mix(hash, (uint64_t)((const int64_t *)vec->values)[row]);
        else
            hash = hash_text(hash, vec->valid[row], ((const struct mr_str *)vec->values)[row]);
    }
    return hash;
}

static uint64_t hash_row(const struct wholes *w, size_t row)
{
    uint64_t hash = mr_hash_seed();
    for (size_t i = 0; i < w->nkeys; i++) {
        int64_t bin;
        memcpy(&bin, whole_row(w, row) + w->columns[i].offset, sizeof(bin));
        if (w->columns[i].role == WHOLE_BIN)
            hash = mix(hash, (uint64_t)bin);
        else
            hash = hash_text(hash, whole_valid(w, row, i), text_at(w, row, i));
    }
    return hash;
}

static bool is_row(const struct wholes *w, size_t row, const struct store_groups *part, size_t at)
{
    for (size_t i = 0; i < w->nkeys; i++) {
        const struct store_vec *vec = &part->cols[i];
        if (w->columns[i].role == WHOLE_BIN) {
            if (memcmp(whole_row(w, row) + w->columns[i].offset, (const int64_t *)vec->values + at, 8) != 0)
                return false;
        } else if ((vec->valid[at] != 0) != whole_valid(w, row, i) ||
                   !mr_str_eq(((const struct mr_str *)vec->values)[at], text_at(w, row, i))) {
            return false;
        }
    }
    return true;
}

static int make_room(struct wholes *w)
{
    if (w->nslots >= 2 * (w->count + 1))
        return MR_OK;
    size_t n = w->nslots != 0 ? w->nslots * 4 : FIRST_SLOTS;
    while (n < 2 * (w->count + 1))
        n *= 2;
    uint32_t *slots = mr_calloc(n, sizeof(*slots));
    if (slots == NULL || w->count >= UINT32_MAX / 8) {
        mr_free(slots);
        return MR_ENOMEM;
    }
    for (size_t i = 0; i < w->count; i++) {
        size_t at = hash_row(w, i) & (n - 1);
        while (slots[at] != 0)
            at = (at + 1) & (n - 1);
        slots[at] = (uint32_t)i + 1;
    }
    mr_free(w->slots);
    w->slots = slots;
    w->nslots = n;
    return MR_OK;
}

/* ---- putting together ---- */

static void copy_value(const struct wholes *w, char *to, size_t column, const struct store_vec *vec,
                       size_t row)
{
    const struct whole_column *c = &w->columns[column];
    to[w->valid_at + column] = vec->valid == NULL || vec->valid[row];
    memcpy(to + c->offset, (const char *)vec->values + row * c->width, c->width);
}

/* As the last row; not found by its keys. */
static int append_row(struct wholes *w, const struct store_groups *part, size_t at)
{
    if (mr_grow((void **)&w->rows, &w->rows_cap, (w->count + 1) * w->row_bytes, 1) != MR_OK)
        return MR_ENOMEM;
    char *to = whole_row(w, w->count);
    memset(to, 0, w->row_bytes);
    for (size_t i = 0; i < w->ncolumns; i++) {
        copy_value(w, to, i, &part->cols[i], at);
        if (w->columns[i].role != WHOLE_KEY)
            continue;
        struct mr_str text = mr_arena_dup(&w->texts, ((const struct mr_str *)part->cols[i].values)[at]);
        if (text.ptr == NULL)
            return MR_ENOMEM;
        memcpy(to + w->columns[i].offset, &text, sizeof(text));
    }
    w->count++;
    return MR_OK;
}

static void add_up(const struct whole_column *c, char *to, const void *values, size_t row)
{
    if (c->is.wide) {
        __int128 sum, more;
        memcpy(&sum, to, sizeof(sum));
        memcpy(&more, (const char *)values + row * sizeof(more), sizeof(more));
        sum += more;
        memcpy(to, &sum, sizeof(sum));
    } else if (c->is.kind == SQL_DOUBLE) {
        *(double *)(void *)to += ((const double *)values)[row];
    } else {
        *(int64_t *)(void *)to += ((const int64_t *)values)[row];
    }
}

static bool is_better(const struct whole_column *c, const char *have, const void *values, size_t row)
{
    int order;
    if (c->is.kind == SQL_DOUBLE) {
        order = whole_compare_doubles(((const double *)values)[row], *(const double *)(const void *)have);
    } else {
        int64_t a = ((const int64_t *)values)[row], b = *(const int64_t *)(const void *)have;
        order = (a > b) - (a < b);
    }
    return c->role == WHOLE_MOST ? order > 0 : order < 0;
}

/* The three columns from the i-th on, which lie side by side. */
static void join_moments(const struct wholes *w, char *to, size_t i, const struct store_groups *part,
                         size_t at)
{
    int64_t *count = (int64_t *)(void *)(to + w->columns[i].offset);
    double *mean = (double *)(void *)(to + w->columns[i + 1].offset);
    double *m2 = (double *)(void *)(to + w->columns[i + 2].offset);
    int64_t more = ((const int64_t *)part->cols[i].values)[at];
    struct mr_moments have = {(double)*count, *mean, *m2};
    const struct mr_moments these = {(double)more, ((const double *)part->cols[i + 1].values)[at],
                                     ((const double *)part->cols[i + 2].values)[at]};
    mr_moments_join(&have, &these);
    *count += more;
    *mean = have.mean;
    *m2 = have.m2;
}

static void join_value(struct wholes *w, char *to, size_t i, const struct store_groups *part, size_t at)
{
    const struct whole_column *c = &w->columns[i];
    const struct store_vec *vec = &part->cols[i];
    if (c->role == WHOLE_EARLIEST || c->role == WHOLE_LATEST) {
        int64_t have = *(const int64_t *)(const void *)(to + w->columns[i + 1].offset);
        int64_t time = ((const int64_t *)part->cols[i + 1].values)[at];
        if (c->role == WHOLE_LATEST ? time > have : time < have) {
            copy_value(w, to, i, vec, at);
            copy_value(w, to, i + 1, &part->cols[i + 1], at);
        }
        return;
    }
    if (c->role == WHOLE_MOMENTS)
        join_moments(w, to, i, part, at);
    if (c->role < WHOLE_ADD || c->role > WHOLE_MOST || (vec->valid != NULL && !vec->valid[at]))
        return;
    if (to[w->valid_at + i] == 0)
        copy_value(w, to, i, vec, at);
    else if (c->role == WHOLE_ADD)
        add_up(c, to + c->offset, vec->values, at);
    else if (is_better(c, to + c->offset, vec->values, at))
        copy_value(w, to, i, vec, at);
}

/* ---- adding ---- */

static int add_wholes(struct wholes *w, const struct store_groups *part, const struct sql_finish *plan)
{
    int status = w->count < UINT32_MAX / 8 ? MR_OK : MR_ENOMEM;
    for (size_t at = 0; at < part->rows && status == MR_OK; at++)
        if (whole_part_passes(w, part, at, plan))
            status = append_row(w, part, at);
    return status;
}

int wholes_add(struct wholes *w, const struct store_groups *part, const struct sql_finish *plan)
{
    if (part->whole)
        return add_wholes(w, part, plan);
    for (size_t at = 0; at < part->rows; at++) {
        int status = make_room(w);
        if (status != MR_OK)
            return status;
        size_t slot = hash_part(w, part, at) & (w->nslots - 1);
        while (w->slots[slot] != 0 && !is_row(w, w->slots[slot] - 1, part, at))
            slot = (slot + 1) & (w->nslots - 1);
        if (w->slots[slot] == 0) {
            if ((status = append_row(w, part, at)) != MR_OK)
                return status;
            w->slots[slot] = (uint32_t)w->count;
            continue;
        }
        for (size_t i = w->nkeys; i < w->ncolumns; i++)
            join_value(w, whole_row(w, w->slots[slot] - 1), i, part, at);
    }
    return MR_OK;
}

int wholes_add_empty(struct wholes *w)
{
    if (mr_grow((void **)&w->rows, &w->rows_cap, (w->count + 1) * w->row_bytes, 1) != MR_OK)
        return MR_ENOMEM;
    memset(whole_row(w, w->count++), 0, w->row_bytes); /* counts of 0, all else NULL */
    return MR_OK;
}
