#include "sim/store_life.h"

#include <stdlib.h>

const char *life_kind_name(enum life_kind kind)
{
    static const char *const names[LIFE_KINDS] = {"append", "drop",       "expiry",
                                                  "flush",  "compaction", "reopen"};
    return names[kind];
}

/* ---- drawing
 * ----------------------------------------------------------------------------------------------------- */

struct drawing {
    struct life *life;
    size_t cap;
    struct mr_rng rng;
    uint64_t ids[MODEL_TABLES], next[MODEL_TABLES], first[MODEL_TABLES], next_id;
};

static struct life_act *add(struct drawing *d, enum life_kind kind)
{
    struct life *l = d->life;
    if (l->count == d->cap) {
        d->cap = d->cap * 2 + 64;
        l->acts = realloc(l->acts, d->cap * sizeof *l->acts);
        MR_ASSERT(l->acts != NULL);
    }
    struct life_act *a = &l->acts[l->count++];
    *a = (struct life_act){.kind = kind, .table = (unsigned)mr_rng_below(&d->rng, MODEL_TABLES)};
    return a;
}

static void add_append(struct drawing *d)
{
    struct model_record records[MODEL_BATCH];
    struct life_act *a = add(d, LIFE_APPEND);
    a->count = model_batch_draw(&d->life->profile, &d->rng, d->first[a->table], &d->next[a->table], records);
    a->records = malloc(a->count * sizeof *a->records);
    MR_ASSERT(a->records != NULL);
    memcpy(a->records, records, a->count * sizeof *records);
    a->settle = mr_rng_below(&d->rng, 3) == 0;
}

static void add_drop(struct drawing *d)
{
    struct life_act *a = add(d, LIFE_DROP);
    a->old_id = d->ids[a->table];
    a->new_id = d->ids[a->table] = d->next_id++;
    d->first[a->table] = d->next[a->table] = 0;
}

static void add_expire(struct drawing *d)
{
    struct life_act *a = add(d, LIFE_EXPIRE);
    const struct model_profile *p = &d->life->profile;
    uint64_t *first = &d->first[a->table], last = p->times * 3 / 4;
    if (*first < last)
        *first += 1 + mr_rng_below(&d->rng, (last - *first) / 2 + 1);
    a->cutoff = p->base + p->step * (int64_t)*first;
}

void life_draw(struct life *life, uint64_t seed, unsigned appends)
{
    struct drawing d = {.life = life, .rng = {seed}, .next_id = MODEL_TABLES + 1};
    *life = (struct life){.acts = NULL};
    model_profile_draw(&d.rng, &life->profile);
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        d.ids[i] = i + 1;
    for (unsigned i = 1; i <= appends; i++) {
        add_append(&d);
        if (i % 6 == 0)
            add(&d, LIFE_FLUSH);
        if (i % 24 == 0)
            add(&d, LIFE_COMPACT);
        if (i % 40 == 11)
            add_expire(&d);
        if (i % 50 == 37)
            add_drop(&d);
        if (i % 70 == 69)
            add(&d, LIFE_REOPEN);
    }
}

void life_release(struct life *life)
{
    for (size_t i = 0; i < life->count; i++)
        free(life->acts[i].records);
    free(life->acts);
}

/* ---- living
 * ------------------------------------------------------------------------------------------------------ */

static int drop(struct engine *e, const struct life_act *a, struct mr_error *err)
{
    int rc = store_table_drop(e->store, a->old_id, err);
    if (rc == MR_OK && !engine_table(e, a->table, a->new_id))
        model_broken("a new table is said to be dropped");
    return rc;
}

static int reopen(struct engine *e, const struct mr_io *io, struct mr_error *err)
{
    uint64_t ids[MODEL_TABLES];
    memcpy(ids, e->ids, sizeof ids);
    engine_close(e);
    if (!engine_try_open(e, io, err))
        return err->status;
    int rc = MR_OK;
    for (unsigned i = 0; i < MODEL_TABLES && rc == MR_OK; i++)
        rc = engine_try_table(e, i, ids[i], err);
    return rc;
}

int life_do(struct engine *e, const struct mr_io *io, const struct life_act *a, struct engine_commit *commit,
            struct mr_error *err)
{
    enum store_outcome outcomes[MODEL_BATCH];
    int64_t versions[MODEL_BATCH];
    *err = (struct mr_error)MR_ERROR_INIT;
    switch (a->kind) {
    case LIFE_APPEND:
        return engine_append(e, a->table, a->records, a->count, outcomes, versions, commit, false, err);
    case LIFE_DROP:
        return drop(e, a, err);
    case LIFE_EXPIRE:
        return store_expire(e->tables[a->table], a->cutoff, err);
    case LIFE_FLUSH:
        return store_flush(e->store, err);
    case LIFE_COMPACT:
        return store_compact(e->store, err);
    default:
        return reopen(e, io, err);
    }
}

void life_note(struct model *model, const struct life_act *a)
{
    int64_t version;
    if (a->kind == LIFE_DROP)
        model_replace_table(model, a->table, a->new_id);
    else if (a->kind == LIFE_EXPIRE)
        model_expire(&model->tables[a->table], a->cutoff);
    for (size_t i = 0; i < a->count; i++)
        model_put(&model->tables[a->table], &a->records[i], &version);
}

/* ---- after a crash
 * ------------------------------------------------------------------------------------------------- */

/* Expiry is not in the log; whoever decides about it remembers the cutoff. */
static void expire(const struct life *life, size_t begun, struct model *model)
{
    uint64_t ids[MODEL_TABLES] = {1, 2, 3};
    for (size_t i = 0; i < begun; i++) {
        const struct life_act *a = &life->acts[i];
        if (a->kind == LIFE_DROP)
            ids[a->table] = a->new_id;
        if (a->kind == LIFE_EXPIRE && model->tables[a->table].id == ids[a->table])
            model_expire(&model->tables[a->table], a->cutoff);
    }
}

size_t life_find(struct engine *e, const struct life *life, const bool *left_out, size_t acked, size_t begun,
                 struct model *model)
{
    struct mr_buf text = MR_BUF_INIT;
    size_t k = acked;
    for (;; k++) {
        expire(life, begun, model);
        mr_buf_printf(&text, "\n  with acts up to %zu: ", k);
        int result = engine_same(e, model, acked, &text);
        if (result == ENGINE_SAME)
            break;
        while (k < begun && (!life_is_logged(&life->acts[k]) || (left_out != NULL && left_out[k])))
            k++;
        if (result == ENGINE_FAILS || k >= begun)
            model_broken("acts up to %zu are acknowledged, up to %zu begun:" MR_STR_FMT, acked, begun,
                         MR_STR_ARG(mr_buf_view(&text)));
        life_note(model, &life->acts[k]);
    }
    for (size_t i = 0; i < acked; i++)
        if (life->acts[i].kind == LIFE_DROP && (left_out == NULL || !left_out[i]) &&
            !engine_is_gone(e, life->acts[i].old_id))
            model_broken("table number %llu was dropped and is back",
                         (unsigned long long)life->acts[i].old_id);
    mr_buf_release(&text);
    return k;
}
