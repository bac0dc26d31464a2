#include "model.h"

#include "lib/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct state {
    struct model_record record;
    uint64_t lsn, replaced;
    bool expired;
};

struct cell {
    struct state *states; /* in the order of the log */
    size_t count, cap;
};

/* A name of the schema, in order of appearance. */
struct bound {
    char name[32];
    enum store_role role;
    enum store_type type;
    uint64_t lsn;
};

struct model {
    struct cell cells[MODEL_DIM_SETS * MODEL_MEASURES][MODEL_TIMES];
    struct bound columns[64];
    unsigned ncolumns;
    enum store_type measure_type[MODEL_MEASURES]; /* STORE_NONE: unbound */
    uint64_t measure_lsn[MODEL_MEASURES];
};

struct model *model_new(void)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->ncolumns = 2;
    m->columns[0] = (struct bound){"time", STORE_TIME, STORE_TIMESTAMP, 0};
    m->columns[1] = (struct bound){"measure_name", STORE_MEASURE_NAME, STORE_VARCHAR, 0};
    return m;
}

void model_free(struct model *m)
{
    for (unsigned k = 0; k < MODEL_DIM_SETS * MODEL_MEASURES; k++)
        for (unsigned t = 0; t < MODEL_TIMES; t++)
            free(m->cells[k][t].states);
    free(m);
}

unsigned model_dims(unsigned dim_set, unsigned names[4])
{
    static const struct {
        unsigned count, names[4];
    } sets[MODEL_DIM_SETS] = {{1, {0}}, {1, {0}}, {2, {0, 1}}, {3, {0, 1, 2}}, {1, {3}}, {2, {0, 4}}};
    memcpy(names, sets[dim_set].names, sizeof sets[dim_set].names);
    return sets[dim_set].count;
}

static enum store_type type_of(const struct model_record *r)
{
    return r->multi ? STORE_MULTI : r->values[0].type;
}

static const struct bound *find(const struct model *m, const char *name)
{
    for (unsigned i = 0; i < m->ncolumns; i++)
        if (strcmp(m->columns[i].name, name) == 0)
            return &m->columns[i];
    return NULL;
}

static void bind(struct model *m, const char *name, enum store_role role, enum store_type type, uint64_t lsn)
{
    if (find(m, name) != NULL)
        return;
    struct bound *b = &m->columns[m->ncolumns++];
    *b = (struct bound){"", role, type, lsn};
    snprintf(b->name, sizeof b->name, "%s", name);
}

static const char *name_of(char out[static 8], unsigned name)
{
    snprintf(out, 8, "n%u", name % 100);
    return out;
}

static const char *value_column(enum store_type type)
{
    static const char *const names[] = {"", "measure_value::double", "measure_value::bigint",
                                        "measure_value::varchar", "measure_value::boolean"};
    return names[type];
}

static bool is_dim_of(unsigned dim_set, unsigned name)
{
    unsigned names[4], count = model_dims(dim_set, names);
    for (unsigned i = 0; i < count; i++)
        if (names[i] == name)
            return true;
    return false;
}

static enum store_outcome judge_names(const struct model *m, const struct model_record *r)
{
    char name[8];
    unsigned names[4], count = model_dims(r->dim_set, names);
    if (m->measure_type[r->measure] != STORE_NONE && m->measure_type[r->measure] != type_of(r))
        return STORE_REJECT_MEASURE_TYPE;
    for (unsigned i = 0; i < count; i++) {
        const struct bound *b = find(m, name_of(name, names[i]));
        if (b != NULL && b->role != STORE_DIMENSION)
            return STORE_REJECT_NAME_IS_MEASURE;
    }
    for (unsigned i = 0; r->multi && i < r->nattrs; i++) {
        const struct bound *b = find(m, name_of(name, r->attr_names[i]));
        if ((b != NULL && b->role == STORE_DIMENSION) ||
            (b == NULL && is_dim_of(r->dim_set, r->attr_names[i])))
            return STORE_REJECT_NAME_IS_DIMENSION;
        if (b != NULL && b->type != r->values[i].type)
            return STORE_REJECT_ATTRIBUTE_TYPE;
    }
    return STORE_STORED;
}

static bool value_equal(const struct model_value *a, const struct model_value *b)
{
    return a->type == b->type && (a->type == STORE_VARCHAR ? a->text == b->text : a->bits == b->bits);
}

static bool content_equal(const struct model_record *a, const struct model_record *b)
{
    if (a->nattrs != b->nattrs)
        return false;
    if (!a->multi)
        return value_equal(&a->values[0], &b->values[0]);
    for (unsigned i = 0; i < a->nattrs; i++) {
        bool found = false;
        for (unsigned k = 0; k < b->nattrs; k++)
            found |= a->attr_names[i] == b->attr_names[k] && value_equal(&a->values[i], &b->values[k]);
        if (!found)
            return false;
    }
    return true;
}

static struct cell *cell_of(struct model *m, const struct model_record *r)
{
    return &m->cells[r->dim_set * MODEL_MEASURES + r->measure][r->time];
}

static struct state *live(const struct cell *cell)
{
    struct state *s = cell->count != 0 ? &cell->states[cell->count - 1] : NULL;
    return s != NULL && !s->expired ? s : NULL;
}

static void bind_all(struct model *m, const struct model_record *r, uint64_t lsn)
{
    char name[8];
    unsigned names[4], count = model_dims(r->dim_set, names);
    for (unsigned i = 0; i < count; i++)
        bind(m, name_of(name, names[i]), STORE_DIMENSION, STORE_VARCHAR, lsn);
    if (m->measure_type[r->measure] == STORE_NONE) {
        m->measure_type[r->measure] = type_of(r);
        m->measure_lsn[r->measure] = lsn;
    }
    if (!r->multi)
        bind(m, value_column(r->values[0].type), STORE_MEASURE_VALUE, r->values[0].type, lsn);
    for (unsigned i = 0; r->multi && i < r->nattrs; i++)
        bind(m, name_of(name, r->attr_names[i]), STORE_ATTRIBUTE, r->values[i].type, lsn);
}

enum store_outcome model_put(struct model *m, const struct model_record *r, uint64_t lsn,
                             int64_t *existing_version)
{
    *existing_version = 0;
    enum store_outcome outcome = judge_names(m, r);
    if (outcome != STORE_STORED)
        return outcome;
    struct cell *cell = cell_of(m, r);
    struct state *there = live(cell);
    if (there != NULL) {
        *existing_version = there->record.version;
        if (r->version < there->record.version)
            return STORE_REJECT_LOWER_VERSION;
        if (r->version == there->record.version)
            return content_equal(r, &there->record) ? STORE_DUPLICATE : STORE_REJECT_SAME_VERSION;
        there->replaced = lsn;
    }
    assert_int_equal(mr_grow((void **)&cell->states, &cell->cap, cell->count + 1, sizeof *cell->states),
                     MR_OK);
    cell->states[cell->count++] = (struct state){*r, lsn, UINT64_MAX, false};
    bind_all(m, r, lsn);
    return STORE_STORED;
}

static void each_cell(struct model *m, void (*fn)(struct cell *cell, uint64_t a, uint64_t b), uint64_t a,
                      uint64_t b)
{
    for (unsigned k = 0; k < MODEL_DIM_SETS * MODEL_MEASURES; k++)
        for (unsigned t = 0; t < MODEL_TIMES; t++)
            if (m->cells[k][t].count != 0)
                fn(&m->cells[k][t], a, b);
}

static void unbind_above(struct model *m, uint64_t lsn)
{
    while (m->columns[m->ncolumns - 1].lsn > lsn)
        m->ncolumns--;
    for (unsigned i = 0; i < MODEL_MEASURES; i++)
        if (m->measure_lsn[i] > lsn)
            m->measure_type[i] = STORE_NONE;
}

static void cut_above(struct cell *cell, uint64_t lsn, uint64_t unused)
{
    MR_UNUSED(unused);
    while (cell->count != 0 && cell->states[cell->count - 1].lsn > lsn)
        cell->count--;
    if (cell->count != 0 && !cell->states[cell->count - 1].expired)
        cell->states[cell->count - 1].replaced = UINT64_MAX;
}

void model_undo(struct model *m, uint64_t lsn)
{
    each_cell(m, cut_above, lsn - 1, 0);
    unbind_above(m, lsn - 1);
}

static void renumber(struct cell *cell, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < cell->count; i++) {
        if (cell->states[i].lsn == from)
            cell->states[i].lsn = to;
        if (cell->states[i].replaced == from)
            cell->states[i].replaced = to;
    }
}

void model_renumber(struct model *m, uint64_t from, uint64_t to)
{
    each_cell(m, renumber, from, to);
    for (unsigned i = 0; i < m->ncolumns; i++)
        if (m->columns[i].lsn == from)
            m->columns[i].lsn = to;
    for (unsigned i = 0; i < MODEL_MEASURES; i++)
        if (m->measure_lsn[i] == from)
            m->measure_lsn[i] = to;
}

static void restart(struct cell *cell, uint64_t durable, uint64_t unused)
{
    cut_above(cell, durable, unused);
    for (size_t i = 0; i < cell->count; i++) {
        cell->states[i].expired = false;
        cell->states[i].replaced = i + 1 < cell->count ? cell->states[i + 1].lsn : UINT64_MAX;
    }
}

void model_restart(struct model *m, uint64_t durable)
{
    each_cell(m, restart, durable, 0);
    unbind_above(m, durable);
}

static void expire(struct cell *cell, uint64_t cutoff, uint64_t unused)
{
    MR_UNUSED(unused);
    if (cell->states[0].record.time >= (int64_t)cutoff)
        return;
    for (size_t i = 0; i < cell->count; i++)
        cell->states[i].expired = true;
}

void model_expire(struct model *m, int64_t cutoff)
{
    each_cell(m, expire, (uint64_t)cutoff, 0);
}

/* ---- as text
 * --------------------------------------------------------------------------------------------------- */

static void print_value(struct mr_buf *out, const char *name, const struct model_value *v)
{
    double d;
    mr_buf_printf(out, " %s=", name);
    switch (v->type) {
    case STORE_DOUBLE:
        memcpy(&d, &v->bits, sizeof d);
        mr_buf_printf(out, "%.17g", d);
        break;
    case STORE_VARCHAR:
        mr_buf_printf(out, "t%u", v->text);
        break;
    case STORE_BOOLEAN:
        mr_buf_printf(out, "%s", v->bits ? "true" : "false");
        break;
    default:
        mr_buf_printf(out, "%" PRId64, v->bits);
    }
}

static void print_state(const struct model *m, struct mr_buf *out, const struct model_record *r)
{
    char name[8];
    const char *mark = "{";
    mr_buf_printf(out, "m%u", r->measure);
    for (unsigned i = 0; i < m->ncolumns; i++) {
        for (unsigned n = 0; n < MODEL_NAMES; n++) {
            if (m->columns[i].role != STORE_DIMENSION || strcmp(m->columns[i].name, name_of(name, n)) != 0 ||
                !is_dim_of(r->dim_set, n))
                continue;
            mr_buf_printf(out, "%s%s=v%u", mark, name, r->dim_set);
            mark = ",";
        }
    }
    mr_buf_printf(out, "}@%" PRId64, r->time);
    if (!r->multi)
        print_value(out, value_column(r->values[0].type), &r->values[0]);
    for (unsigned i = 0; r->multi && i < m->ncolumns; i++)
        for (unsigned a = 0; a < r->nattrs; a++)
            if (strcmp(m->columns[i].name, name_of(name, r->attr_names[a])) == 0)
                print_value(out, name, &r->values[a]);
    mr_buf_char(out, '\0');
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *model_rows(const struct model *m, uint64_t lsn, int64_t time_min, int64_t time_max)
{
    struct mr_buf lines = MR_BUF_INIT;
    size_t count = 0;
    for (unsigned k = 0; k < MODEL_DIM_SETS * MODEL_MEASURES; k++) {
        for (int64_t t = time_min; t <= time_max; t++) {
            const struct cell *cell = &m->cells[k][t];
            for (size_t i = 0; i < cell->count; i++) {
                const struct state *s = &cell->states[i];
                if (s->expired || s->lsn > lsn || s->replaced <= lsn)
                    continue;
                print_state(m, &lines, &s->record);
                count++;
            }
        }
    }
    char **sort = calloc(count + 1, sizeof *sort), *next = lines.ptr;
    assert_non_null(sort);
    for (size_t i = 0; i < count; i++, next += strlen(next) + 1)
        sort[i] = next;
    if (count != 0)
        qsort(sort, count, sizeof *sort, by_text);
    char *text = mr_malloc(lines.len + 1), *to = text;
    assert_non_null(text);
    *to = '\0';
    for (size_t i = 0; i < count; i++)
        to = stpcpy(stpcpy(to, sort[i]), "\n");
    free(sort);
    mr_buf_release(&lines);
    return text;
}

char *model_schema(const struct model *m)
{
    struct mr_buf out = MR_BUF_INIT;
    for (unsigned i = 0; i < m->ncolumns; i++)
        mr_buf_printf(&out, "%s:%d:%d ", m->columns[i].name, (int)m->columns[i].role,
                      (int)m->columns[i].type);
    mr_buf_char(&out, '\0');
    return out.ptr;
}
