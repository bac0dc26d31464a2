/* magstore/merge_rows.c - rows chosen by a merge, as views into the block they lie in or copied together. */
#include "magstore/merge_private.h"

static int no_memory(struct mr_error *err)
{
    return mr_error_set(err, MR_ENOMEM, "out of memory merging");
}

/* Merges the ascending numbers of a block into those that m->columns holds so far. */
static int unite(struct magstore_merge *m, const uint32_t *numbers, size_t n)
{
    size_t have = m->ncolumns, fresh = 0;
    for (size_t i = 0, k = 0; i < n; i++) {
        while (k < have && m->columns[k] < numbers[i])
            k++;
        fresh += k == have || m->columns[k] != numbers[i];
    }
    if (fresh == 0)
        return MR_OK;
    if (mr_grow((void **)&m->columns, &m->columns_cap, have + fresh, sizeof *m->columns) != MR_OK)
        return MR_ENOMEM;
    m->ncolumns = have + fresh;
    for (size_t at = m->ncolumns; n > 0 && at > 0;) { /* from the back: nothing is overwritten too early */
        if (have > 0 && m->columns[have - 1] > numbers[n - 1]) {
            m->columns[--at] = m->columns[--have];
        } else {
            if (have > 0 && m->columns[have - 1] == numbers[n - 1])
                have--;
            m->columns[--at] = numbers[--n];
        }
    }
    return MR_OK;
}

int magstore_merge_columns(struct magstore_merge *m, struct mr_error *err)
{
    m->ncolumns = 0;
    for (size_t i = 0; i < m->nactive; i++) {
        uint32_t n;
        const uint32_t *numbers = magstore_page_columns(m->active[i]->page, &n);
        if (unite(m, numbers, n) != MR_OK)
            return no_memory(err);
    }
    return MR_OK;
}

static int room_for_views(struct magstore_merge *m, struct mr_error *err)
{
    if (mr_grow((void **)&m->views, &m->views_cap, m->ncolumns, sizeof *m->views) != MR_OK)
        return no_memory(err);
    return MR_OK;
}

static bool any_valid(const struct magstore_values *v, uint32_t rows)
{
    return v->type != MAGSTORE_NONE && (v->valid == NULL || memchr(v->valid, 1, rows) != NULL);
}

int magstore_merge_view(struct magstore_merge *m, struct magstore_source *s, uint32_t rows,
                        struct magstore_rows *out, struct mr_error *err)
{
    const int64_t *versions;
    size_t n = 0;
    int status = room_for_views(m, err);
    if (status == MR_OK)
        status = magstore_page_versions(s->page, &versions, err);
    for (size_t i = 0; status == MR_OK && i < m->ncolumns; i++) {
        struct magstore_values *v = &m->views[n];
        status = magstore_page_column(s->page, m->columns[i], v, err);
        if (status != MR_OK)
            break;
        if (v->type != MAGSTORE_NONE) {
            v->values = (const char *)v->values + s->at * magstore_width(v->type);
            v->valid = v->valid != NULL ? v->valid + s->at : NULL;
        }
        n += !m->all_columns || any_valid(v, rows);
    }
    if (status == MR_OK)
        *out = (struct magstore_rows){rows, s->times + s->at, versions != NULL ? versions + s->at : NULL,
                                      m->views, n};
    return status;
}

static int copy_times(struct magstore_merge *m, size_t rows, bool *versioned, struct mr_error *err)
{
    size_t bytes = MAGSTORE_BLOCK_ROWS * sizeof *m->times;
    if (m->times == NULL)
        m->times = mr_malloc(bytes);
    if (m->versions == NULL)
        m->versions = mr_malloc(bytes);
    if (m->times == NULL || m->versions == NULL)
        return no_memory(err);
    *versioned = false;
    for (size_t i = 0, at = 0; i < m->npicks; at += m->picks[i++].rows) {
        const struct magstore_pick *p = &m->picks[i];
        const struct magstore_source *s = m->active[p->source];
        const int64_t *versions;
        int status = magstore_page_versions(s->page, &versions, err);
        if (status != MR_OK)
            return status;
        MR_ASSERT(at + p->rows <= rows);
        memcpy(m->times + at, s->times + p->at, p->rows * sizeof *m->times);
        for (size_t r = 0; r < p->rows; r++)
            m->versions[at + r] = versions != NULL ? versions[p->at + r] : 1;
        *versioned = *versioned || versions != NULL;
    }
    return MR_OK;
}

/* The column in each of the active blocks. Its type is the same wherever it has one. */
static int give_column(struct magstore_merge *m, uint32_t column, enum magstore_type *type,
                       struct mr_error *err)
{
    *type = MAGSTORE_NONE;
    for (size_t i = 0; i < m->nactive; i++) {
        int status = magstore_page_column(m->active[i]->page, column, &m->given[i], err);
        if (status != MR_OK)
            return status;
        if (m->given[i].type == MAGSTORE_NONE)
            continue;
        if (*type != MAGSTORE_NONE && *type != m->given[i].type)
            return mr_error_set(err, MR_ECORRUPT, "segments of one table differ in the type of column %u",
                                column);
        *type = m->given[i].type;
    }
    return MR_OK;
}

/* The rows picked, of one column, into its copy. True: some are NULL. */
static bool copy_picks(const struct magstore_merge *m, size_t width, const struct magstore_copy *c)
{
    bool nulls = false;
    for (size_t i = 0, at = 0; i < m->npicks; at += m->picks[i++].rows) {
        const struct magstore_pick *p = &m->picks[i];
        const struct magstore_values *from = &m->given[p->source];
        char *to = (char *)c->values + at * width;
        if (from->type == MAGSTORE_NONE) {
            memset(to, 0, p->rows * width); /* of texts: nothing to be read */
            memset(c->valid + at, 0, p->rows);
        } else {
            memcpy(to, (const char *)from->values + p->at * width, p->rows * width);
            if (from->valid != NULL)
                memcpy(c->valid + at, from->valid + p->at, p->rows);
            else
                memset(c->valid + at, 1, p->rows);
        }
        nulls = nulls || from->type == MAGSTORE_NONE || from->valid != NULL;
    }
    return nulls;
}

static int copy_column(struct magstore_merge *m, size_t index, size_t rows, struct magstore_values *out,
                       struct mr_error *err)
{
    enum magstore_type type;
    *out = (struct magstore_values){.column = m->columns[index]};
    int status = give_column(m, m->columns[index], &type, err);
    if (status != MR_OK || type == MAGSTORE_NONE)
        return status;
    struct magstore_copy *c = &m->copies[index];
    size_t width = magstore_width(type);
    if (mr_grow(&c->values, &c->values_cap, rows * width, 1) != MR_OK ||
        mr_grow((void **)&c->valid, &c->valid_cap, rows, 1) != MR_OK)
        return no_memory(err);
    bool nulls = copy_picks(m, width, c);
    out->type = type;
    out->values = c->values;
    out->valid = nulls && memchr(c->valid, 0, rows) != NULL ? c->valid : NULL;
    return MR_OK;
}

int magstore_merge_copy(struct magstore_merge *m, size_t rows, struct magstore_rows *out,
                        struct mr_error *err)
{
    bool versioned;
    size_t n = 0;
    int status = room_for_views(m, err);
    if (status == MR_OK &&
        mr_grow((void **)&m->copies, &m->copies_cap, m->ncolumns, sizeof *m->copies) != MR_OK)
        status = no_memory(err);
    for (; status == MR_OK && m->ncopies < m->ncolumns; m->ncopies++)
        m->copies[m->ncopies] = (struct magstore_copy){0};
    if (status == MR_OK)
        status = copy_times(m, rows, &versioned, err);
    for (size_t i = 0; status == MR_OK && i < m->ncolumns; i++) {
        status = copy_column(m, i, rows, &m->views[n], err);
        n += !m->all_columns || any_valid(&m->views[n], (uint32_t)rows);
    }
    if (status == MR_OK)
        *out = (struct magstore_rows){rows, m->times, versioned ? m->versions : NULL, m->views, n};
    return status;
}
