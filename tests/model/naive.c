#include "model/naive.h"

#include <stdlib.h>

/* ---- tables
 * ------------------------------------------------------------------------------------------------------ */

static void start_table(struct model_table *t, uint64_t id)
{
    *t = (struct model_table){.id = id, .cutoff = INT64_MIN, .ncolumns = 2};
    t->columns[0] = (struct model_column){MODEL_TIME, 0, STORE_TIMESTAMP};
    t->columns[1] = (struct model_column){MODEL_MEASURE_NAME, 0, STORE_VARCHAR};
}

static void release_table(struct model_table *t)
{
    for (size_t i = 0; i < t->nseries; i++)
        free(t->series[i].rows);
    free(t->series);
}

void model_init(struct model *model)
{
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        start_table(&model->tables[i], i + 1);
}

void model_release(struct model *model)
{
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        release_table(&model->tables[i]);
    memset(model, 0, sizeof *model);
}

static void *duplicate(const void *from, size_t bytes)
{
    void *to = malloc(bytes != 0 ? bytes : 1);
    MR_ASSERT(to != NULL);
    if (bytes != 0)
        memcpy(to, from, bytes);
    return to;
}

void model_copy(const struct model *from, struct model *to)
{
    *to = *from;
    for (unsigned i = 0; i < MODEL_TABLES; i++) {
        struct model_table *t = &to->tables[i];
        t->series = duplicate(t->series, t->nseries * sizeof *t->series);
        t->series_cap = t->nseries;
        for (size_t s = 0; s < t->nseries; s++) {
            t->series[s].rows =
                duplicate(t->series[s].rows, t->series[s].count * sizeof(struct model_record));
            t->series[s].cap = t->series[s].count;
        }
    }
}

void model_replace_table(struct model *model, unsigned table, uint64_t id)
{
    release_table(&model->tables[table]);
    start_table(&model->tables[table], id);
}

void model_expire(struct model_table *t, int64_t cutoff)
{
    if (cutoff > t->cutoff)
        t->cutoff = cutoff;
    for (size_t i = 0; i < t->nseries; i++) {
        struct model_series *s = &t->series[i];
        size_t gone = 0;
        while (gone < s->count && s->rows[gone].time < cutoff)
            gone++;
        if (gone != 0 && gone != s->count)
            memmove(s->rows, s->rows + gone, (s->count - gone) * sizeof *s->rows);
        s->count -= gone;
        t->nrows -= gone;
    }
}

const struct model_record *model_row(const struct model_table *t, size_t number)
{
    for (size_t i = 0; i < t->nseries; i++) {
        if (number < t->series[i].count)
            return &t->series[i].rows[number];
        number -= t->series[i].count;
    }
    return NULL;
}

/* ---- judging
 * ----------------------------------------------------------------------------------------------------- */

static const struct model_column *find_column(const struct model_table *t, enum model_column_kind kind,
                                              unsigned name, enum store_type type)
{
    for (unsigned i = 0; i < t->ncolumns; i++) {
        const struct model_column *c = &t->columns[i];
        if (c->kind == kind && (kind == MODEL_VALUE ? c->type == type : c->name == name))
            return c;
    }
    return NULL;
}

static bool has_dim(unsigned set, unsigned name)
{
    unsigned names[MODEL_DIMS], count = model_dims(set, names);
    for (unsigned i = 0; i < count; i++)
        if (names[i] == name)
            return true;
    return false;
}

/* Types and roles, in the order of the engine's promise: measure name, dimensions, attributes. */
static enum store_outcome judge_names(const struct model_table *t, const struct model_record *r)
{
    unsigned names[MODEL_DIMS], count = model_dims(r->set, names);
    if (t->measures[r->measure] != STORE_NONE && t->measures[r->measure] != model_type(r))
        return STORE_REJECT_MEASURE_TYPE;
    for (unsigned i = 0; i < count; i++)
        if (find_column(t, MODEL_ATTR, names[i], 0) != NULL)
            return STORE_REJECT_NAME_IS_MEASURE;
    for (unsigned i = 0; r->multi && i < r->nattrs; i++) {
        unsigned name = r->attrs[i].name;
        const struct model_column *c = find_column(t, MODEL_ATTR, name, 0);
        if (find_column(t, MODEL_DIM, name, 0) != NULL || (c == NULL && has_dim(r->set, name)))
            return STORE_REJECT_NAME_IS_DIMENSION;
        if (c != NULL && c->type != r->attrs[i].type)
            return STORE_REJECT_ATTRIBUTE_TYPE;
    }
    return STORE_STORED;
}

static bool same_attr(const struct model_attr *a, const struct model_attr *b)
{
    if (a->type != b->type)
        return false;
    return a->type == STORE_VARCHAR ? mr_str_eq(model_text(a->bits), model_text(b->bits))
                                    : a->bits == b->bits;
}

static bool same_content(const struct model_record *a, const struct model_record *b)
{
    bool same = a->nattrs == b->nattrs && a->multi == b->multi;
    for (unsigned i = 0; i < a->nattrs && same; i++) {
        bool found = false;
        for (unsigned k = 0; k < b->nattrs; k++)
            found |=
                (!a->multi || a->attrs[i].name == b->attrs[k].name) && same_attr(&a->attrs[i], &b->attrs[k]);
        same = found;
    }
    return same;
}

static void bind_column(struct model_table *t, enum model_column_kind kind, unsigned name,
                        enum store_type type)
{
    if (find_column(t, kind, name, type) == NULL)
        t->columns[t->ncolumns++] = (struct model_column){kind, name, type};
}

static void bind_names(struct model_table *t, const struct model_record *r)
{
    unsigned names[MODEL_DIMS], count = model_dims(r->set, names);
    t->measures[r->measure] = model_type(r);
    for (unsigned i = 0; i < count; i++)
        bind_column(t, MODEL_DIM, names[i], STORE_VARCHAR);
    for (unsigned i = 0; i < r->nattrs; i++)
        bind_column(t, r->multi ? MODEL_ATTR : MODEL_VALUE, r->multi ? r->attrs[i].name : 0,
                    r->attrs[i].type);
}

/* ---- rows
 * -------------------------------------------------------------------------------------------------------- */

static void *grown(void *items, size_t *cap, size_t size)
{
    *cap = *cap * 2 + 4;
    items = realloc(items, *cap * size);
    MR_ASSERT(items != NULL);
    return items;
}

static struct model_series *series_of(struct model_table *t, const struct model_record *r)
{
    for (size_t i = 0; i < t->nseries; i++)
        if (t->series[i].set == r->set && t->series[i].measure == r->measure)
            return &t->series[i];
    if (t->nseries == t->series_cap)
        t->series = grown(t->series, &t->series_cap, sizeof *t->series);
    t->series[t->nseries] = (struct model_series){.set = r->set, .measure = r->measure};
    return &t->series[t->nseries++];
}

/* The first row not before the time. */
static size_t place_of(const struct model_series *s, int64_t time)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (s->rows[mid].time < time)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

enum store_outcome model_put(struct model_table *t, const struct model_record *r, int64_t *existing_version)
{
    *existing_version = 0;
    enum store_outcome outcome = judge_names(t, r);
    if (outcome != STORE_STORED)
        return outcome;
    struct model_series *s = series_of(t, r);
    size_t at = place_of(s, r->time);
    if (at < s->count && s->rows[at].time == r->time) {
        const struct model_record *there = &s->rows[at];
        *existing_version = there->version;
        if (r->version < there->version)
            return STORE_REJECT_LOWER_VERSION;
        if (r->version == there->version)
            return same_content(r, there) ? STORE_DUPLICATE : STORE_REJECT_SAME_VERSION;
    } else {
        if (s->count == s->cap)
            s->rows = grown(s->rows, &s->cap, sizeof *s->rows);
        memmove(s->rows + at + 1, s->rows + at, (s->count - at) * sizeof *s->rows);
        s->count++;
        t->nrows++;
    }
    s->rows[at] = *r;
    bind_names(t, r);
    return STORE_STORED;
}
