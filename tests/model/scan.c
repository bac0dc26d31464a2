/* tests/model/scan.c - what a scan of the model answers. */
#include "model/naive.h"

/* The text of a dimension or of the measure name; NULL when the record has no such dimension. */
static const char *word_of(const struct model_column *c, unsigned set, unsigned measure, char text[static 16])
{
    unsigned names[MODEL_DIMS], count = model_dims(set, names);
    if (c->kind == MODEL_MEASURE_NAME) {
        model_measure_text(measure, text);
        return text;
    }
    for (unsigned i = 0; i < count; i++) {
        if (names[i] == c->name) {
            model_dim_text(set, c->name, text);
            return text;
        }
    }
    return NULL;
}

static bool holds(const struct model_pred *p, const char *word)
{
    bool listed = false;
    for (unsigned i = 0; i < p->nvalues && word != NULL; i++)
        listed |= strcmp(word, p->values[i]) == 0;
    switch (p->op) {
    case STORE_PRED_IN:
        return listed;
    case STORE_PRED_NOT_IN:
        return word != NULL && !listed;
    case STORE_PRED_PREFIX:
        return word != NULL && strncmp(word, p->values[0], strlen(p->values[0])) == 0;
    case STORE_PRED_IS_NULL:
        return word == NULL;
    default:
        return word != NULL;
    }
}

static bool selected(const struct model_table *t, const struct model_spec *spec, const struct model_series *s)
{
    char text[16];
    for (unsigned i = 0; i < spec->npreds; i++) {
        const struct model_pred *p = &spec->preds[i];
        if (!holds(p, word_of(&t->columns[p->column], s->set, s->measure, text)))
            return false;
    }
    return true;
}

static void add_attr(struct model_rows *out, const struct model_column *c, const struct model_record *r)
{
    bool wanted = (c->kind == MODEL_ATTR) == r->multi;
    for (unsigned i = 0; i < r->nattrs && wanted; i++) {
        const struct model_attr *a = &r->attrs[i];
        if (r->multi ? a->name != c->name : a->type != c->type)
            continue;
        if (a->type == STORE_VARCHAR)
            model_rows_text(out, model_text(a->bits));
        else
            model_rows_bits(out, a->type, a->bits);
        return;
    }
    model_rows_null(out);
}

static void add_row(struct model_rows *out, const struct model_table *t, const struct model_spec *spec,
                    const struct model_record *r)
{
    model_rows_add(out, r->time);
    for (unsigned i = 0; i < spec->ncolumns; i++) {
        const struct model_column *c = &t->columns[spec->columns[i]];
        char text[16];
        const char *word;
        switch (c->kind) {
        case MODEL_TIME:
            model_rows_bits(out, STORE_TIMESTAMP, r->time);
            break;
        case MODEL_MEASURE_NAME:
        case MODEL_DIM:
            word = word_of(c, r->set, r->measure, text);
            if (word != NULL)
                model_rows_text(out, mr_str_of(word));
            else
                model_rows_null(out);
            break;
        default:
            add_attr(out, c, r);
        }
    }
    model_rows_end(out);
}

void model_scan(const struct model_table *t, const struct model_spec *spec, struct model_rows *out)
{
    for (size_t i = 0; i < t->nseries; i++) {
        const struct model_series *s = &t->series[i];
        if (!selected(t, spec, s))
            continue;
        for (size_t k = 0; k < s->count; k++)
            if (s->rows[k].time >= spec->time_min && s->rows[k].time <= spec->time_max)
                add_row(out, t, spec, &s->rows[k]);
    }
    model_rows_sort(out);
}

void model_spec_all(const struct model_table *t, struct model_spec *out)
{
    *out = (struct model_spec){.time_min = t->cutoff, .time_max = INT64_MAX, .ncolumns = t->ncolumns};
    for (unsigned i = 0; i < t->ncolumns; i++)
        out->columns[i] = i;
}

void model_schema(const struct model_table *t, struct mr_buf *out)
{
    static const enum store_role roles[] = {STORE_TIME, STORE_MEASURE_NAME, STORE_DIMENSION,
                                            STORE_MEASURE_VALUE, STORE_ATTRIBUTE};
    static const char *const values[] = {"", "measure_value::double", "measure_value::bigint",
                                         "measure_value::varchar", "measure_value::boolean"};
    for (unsigned i = 0; i < t->ncolumns; i++) {
        const struct model_column *c = &t->columns[i];
        char text[16];
        model_name_text(c->name, text);
        const char *name = c->kind == MODEL_TIME           ? "time"
                           : c->kind == MODEL_MEASURE_NAME ? "measure_name"
                           : c->kind == MODEL_VALUE        ? values[c->type]
                                                           : text;
        mr_buf_printf(out, "%s:%d:%d ", name, (int)roles[c->kind], (int)c->type);
    }
}
