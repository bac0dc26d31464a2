/* tests/model/draw.c - random profiles and batches. */
#include "model/record.h"

/* Few rows that meet each other all the time, long series, many series, and something between. */
void model_profile_draw(struct mr_rng *rng, struct model_profile *out)
{
    static const struct model_profile kinds[] = {
        {.sets = 6, .measures = 8, .versions = 5, .batch = 6, .times = 12, .late_of_ten = 8},
        {.sets = 3, .measures = 3, .versions = 3, .batch = 40, .times = 20000, .late_of_ten = 2},
        {.sets = 400, .measures = 6, .versions = 2, .batch = 20, .times = 60, .late_of_ten = 4},
        {.sets = 30, .measures = 8, .versions = 3, .batch = 12, .times = 800, .late_of_ten = 5},
    };
    static const int64_t steps[] = {1, 1000000, 1000000000, 60000000007};
    *out = kinds[mr_rng_below(rng, MR_ARRAY_LEN(kinds))];
    out->step = steps[mr_rng_below(rng, MR_ARRAY_LEN(steps))];
    out->base = mr_rng_below(rng, 4) == 0 ? 0 : INT64_C(1700000000000000000);
    out->strange_of_thousand = (unsigned)mr_rng_below(rng, 30);
    out->texts = mr_rng_below(rng, 3) == 0;
}

static int64_t draw_double(struct mr_rng *rng)
{
    static const double special[] = {0.0, -0.0, 1e308, -5e-324, 0.1, -1.0 / 3};
    int64_t bits;
    double d;
    switch (mr_rng_below(rng, 8)) {
    case 0:
        d = special[mr_rng_below(rng, MR_ARRAY_LEN(special))];
        break;
    case 1: /* any bits, infinities and NaNs with payload among them */
        return (int64_t)mr_rng_next(rng);
    case 2:
        d = mr_rng_unit(rng) * 100;
        break;
    case 3:
        d = (double)mr_rng_below(rng, 10000) / 100;
        break;
    default:
        d = (double)mr_rng_below(rng, 3);
    }
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static struct model_attr draw_attr(const struct model_profile *p, struct mr_rng *rng, unsigned name,
                                   enum store_type type)
{
    struct model_attr a = {.name = name, .type = type};
    switch (type) {
    case STORE_DOUBLE:
        a.bits = draw_double(rng);
        break;
    case STORE_VARCHAR:
        a.bits = (int64_t)mr_rng_below(rng, p->texts ? 64 : 5);
        break;
    case STORE_BOOLEAN:
        a.bits = (int64_t)mr_rng_below(rng, 2);
        break;
    default:
        a.bits = mr_rng_below(rng, 8) == 0 ? (int64_t)mr_rng_next(rng) : (int64_t)mr_rng_below(rng, 4) - 1;
    }
    return a;
}

static void draw_content(const struct model_profile *p, struct mr_rng *rng, struct model_record *r)
{
    bool strange = mr_rng_below(rng, 1000) < p->strange_of_thousand;
    unsigned kind = strange ? (unsigned)mr_rng_below(rng, MODEL_MEASURES) : r->measure;
    r->multi = kind >= 4;
    r->nattrs = r->multi ? 1 + (unsigned)mr_rng_below(rng, MODEL_ATTRS) : 1;
    unsigned first = 5 + (unsigned)mr_rng_below(rng, MODEL_NAMES - 5);
    for (unsigned i = 0; i < r->nattrs; i++) { /* neighbours, so that no name repeats; each of its own type */
        unsigned name =
            strange && first > 8 ? (first + i) % MODEL_NAMES : 5 + (first - 5 + i) % (MODEL_NAMES - 5);
        enum store_type type = (enum store_type)(r->multi ? 1 + name % 5 : 1 + kind);
        if (strange && r->multi && mr_rng_below(rng, 2) == 0)
            type = (enum store_type)(1 + mr_rng_below(rng, 5));
        r->attrs[i] = draw_attr(p, rng, name, type);
    }
}

static void draw_record(const struct model_profile *p, struct mr_rng *rng, uint64_t slot,
                        struct model_record *r)
{
    memset(r, 0, sizeof *r);
    r->set = (unsigned)mr_rng_below(rng, p->sets);
    r->measure = (unsigned)mr_rng_below(rng, p->measures);
    r->time = p->base + p->step * (int64_t)slot;
    r->version = 1 + (mr_rng_below(rng, 3) == 0 ? (int64_t)mr_rng_below(rng, p->versions) : 0);
    if (mr_rng_below(rng, 200) == 0)
        r->version += INT64_C(1) << (20 + mr_rng_below(rng, 40));
    draw_content(p, rng, r);
}

static size_t text_bytes(const struct model_record *r)
{
    size_t sum = 0;
    for (unsigned i = 0; i < r->nattrs; i++)
        sum += r->attrs[i].type == STORE_VARCHAR ? model_text(r->attrs[i].bits).len : 0;
    return sum;
}

size_t model_batch_draw(const struct model_profile *p, struct mr_rng *rng, uint64_t first, uint64_t *next,
                        struct model_record *out)
{
    size_t count = 1 + mr_rng_below(rng, mr_rng_below(rng, 40) == 0 ? MODEL_BATCH : p->batch);
    size_t made = 0;
    bool late = mr_rng_below(rng, 10) < p->late_of_ten;
    bool one_series = mr_rng_below(rng, 3) == 0;
    if (*next < first)
        *next = first;
    size_t bytes = 0; /* a batch must fit into one frame of a small log */
    for (size_t i = 0; i < count && bytes < 20000; i++, made++) {
        uint64_t slot = late ? first + mr_rng_below(rng, p->times - first) : *next;
        draw_record(p, rng, slot, &out[i]);
        out[i].magnetic = late && mr_rng_below(rng, 2) == 0;
        if (i != 0 && one_series) {
            out[i].set = out[0].set;
            out[i].measure = out[0].measure;
            draw_content(p, rng, &out[i]);
        }
        if (i != 0 && mr_rng_below(rng, 12) == 0) { /* the same row again, mostly as it was */
            int64_t version = out[i].version;
            out[i] = out[i - 1];
            out[i].version = version;
            if (mr_rng_below(rng, 2) == 0)
                draw_content(p, rng, &out[i]);
        }
        if (!late && (!one_series || i % 4 != 3))
            *next = *next + 1 < p->times ? *next + 1 : first;
        bytes += text_bytes(&out[i]);
    }
    return made;
}
