#include "model/record.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- names and texts
 * --------------------------------------------------------------------------------------------- */

unsigned model_dims(unsigned set, unsigned names[static MODEL_DIMS])
{
    static const struct {
        unsigned count, names[MODEL_DIMS];
    } kinds[] = {{1, {0}}, {2, {0, 1}}, {3, {0, 1, 2}}, {1, {3}}, {2, {0, 4}}};
    unsigned kind = set % MR_ARRAY_LEN(kinds);
    memcpy(names, kinds[kind].names, sizeof kinds[kind].names);
    return kinds[kind].count;
}

void model_name_text(unsigned name, char out[static 16])
{
    snprintf(out, 16, "n%u", name % 100);
}

void model_measure_text(unsigned measure, char out[static 16])
{
    snprintf(out, 16, "m%u", measure % 100);
}

/* The first name of a set tells it from the others, further ones are shared by many sets. */
void model_dim_text(unsigned set, unsigned name, char out[static 16])
{
    unsigned number = set / 5;
    snprintf(out, 16, "v%u", name == 0 || name == 3 ? number : number % 7);
}

struct mr_str model_text(int64_t number)
{
    enum { TEXTS = 64, LONGEST = 2000 };
    static char bytes[TEXTS][LONGEST];
    static bool made;
    if (!made) {
        for (unsigned i = 0; i < TEXTS; i++)
            for (unsigned k = 0; k < LONGEST; k++)
                bytes[i][k] = (char)('a' + (i * 7 + k * (1 + i % 5) + k / 26) % 26);
        made = true;
    }
    unsigned which = (unsigned)(number & (TEXTS - 1));
    static const size_t lengths[] = {0, 1, 3, 8, 12, 30, 200, LONGEST};
    return (struct mr_str){bytes[which], lengths[which % MR_ARRAY_LEN(lengths)]};
}

static void print_attr(struct mr_buf *out, const struct model_attr *a)
{
    double d;
    switch (a->type) {
    case STORE_DOUBLE:
        memcpy(&d, &a->bits, sizeof d);
        mr_buf_printf(out, "double %.17g", d);
        break;
    case STORE_VARCHAR:
        mr_buf_printf(out, "text %" PRId64 " of %zu bytes", a->bits, model_text(a->bits).len);
        break;
    case STORE_BOOLEAN:
        mr_buf_printf(out, "%s", a->bits ? "true" : "false");
        break;
    default:
        mr_buf_printf(out, "%s %" PRId64, a->type == STORE_BIGINT ? "bigint" : "timestamp", a->bits);
    }
}

void model_record_print(struct mr_buf *out, const struct model_record *r)
{
    unsigned names[MODEL_DIMS], count = model_dims(r->set, names);
    char text[16];
    mr_buf_printf(out, "m%u{", r->measure);
    for (unsigned i = 0; i < count; i++) {
        model_dim_text(r->set, names[i], text);
        mr_buf_printf(out, "%sn%u=%s", i != 0 ? "," : "", names[i], text);
    }
    mr_buf_printf(out, "}@%" PRId64 " version %" PRId64 ":", r->time, r->version);
    for (unsigned i = 0; i < r->nattrs; i++) {
        if (r->multi)
            mr_buf_printf(out, " n%u=", r->attrs[i].name);
        else
            mr_buf_char(out, ' ');
        print_attr(out, &r->attrs[i]);
    }
}

/* ---- into the store's words
 * ------------------------------------------------------------------------------------ */

static struct store_value say_value(const struct model_attr *a)
{
    struct store_value v = {.type = a->type};
    if (a->type == STORE_VARCHAR)
        v.str = model_text(a->bits);
    else if (a->type == STORE_BOOLEAN)
        v.boolean = a->bits != 0;
    else
        v.i64 = a->bits; /* of a double: its bits */
    return v;
}

struct store_record model_say(struct model_words *w, const struct model_record *r)
{
    unsigned names[MODEL_DIMS], ndims = model_dims(r->set, names);
    for (unsigned i = 0; i < ndims; i++) {
        model_name_text(names[i], w->names[i]);
        model_dim_text(r->set, names[i], w->values[i]);
        w->dims[i] = (struct mr_pair){mr_str_of(w->names[i]), mr_str_of(w->values[i])};
    }
    model_measure_text(r->measure, w->measure);
    for (unsigned i = 0; i < r->nattrs; i++) {
        model_name_text(r->attrs[i].name, w->attr_names[i]);
        w->attrs[i].name = r->multi ? mr_str_of(w->attr_names[i]) : MR_STR_NULL;
        w->attrs[i].value = say_value(&r->attrs[i]);
    }
    return (struct store_record){.dims = w->dims,
                                 .ndims = ndims,
                                 .nattrs = r->nattrs,
                                 .measure_name = mr_str_of(w->measure),
                                 .type = model_type(r),
                                 .attrs = w->attrs,
                                 .time = r->time,
                                 .version = r->version,
                                 .magnetic = r->magnetic};
}
