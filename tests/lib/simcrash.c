/* tests/lib/simcrash.c - crash states of a simulated disk.
 *
 * The record is played again up to the moment. A sync brings the pending changes of its file or directory
 * into the durable image, in order; what is pending at the end is cut into items (a write into its sectors)
 * and each kept item is applied, in order, so that of several versions of a sector the last one kept stays.
 */
#include "lib/simdisk_private.h"

#include "base/rand.h"

#include <stdlib.h>

const char *simdisk_keep_name(enum simdisk_keep keep)
{
    static const char *const names[] = {"none", "all", "coin", "prefix", "all-but-one", "torn"};
    return keep < SIMDISK_KEEPS ? names[keep] : "?";
}

static void hold(const struct simdisk *d)
{
    pthread_mutex_lock(&((struct simdisk *)d)->lock);
}

static void release(const struct simdisk *d)
{
    pthread_mutex_unlock(&((struct simdisk *)d)->lock);
}

struct pending {
    const struct sim_change **items;
    size_t count, cap;
};

static void pend(struct pending *p, const struct sim_change *c)
{
    if (p->count == p->cap) {
        p->cap = p->cap * 2 + 64;
        p->items = sim_alloc(p->items, p->cap * sizeof *p->items);
    }
    p->items[p->count++] = c;
}

static bool belongs(const struct sim_change *c, uint32_t node)
{
    return c->node == node || (c->kind == SIM_RENAME && c->node2 == node);
}

static void sync_node(struct pending *p, struct sim_image *durable, uint32_t node)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (belongs(p->items[i], node))
            sim_image_apply(durable, p->items[i]);
        else
            p->items[kept++] = p->items[i];
    }
    p->count = kept;
}

/* Plays the record up to the moment: the durable image, and what is pending. */
static void play(const struct simdisk *d, size_t moment, struct sim_image *durable, struct pending *p)
{
    MR_ASSERT(moment <= d->nchanges);
    sim_image_copy(&d->base, durable);
    for (size_t i = 0; i < moment; i++) {
        const struct sim_change *c = &d->changes[i];
        if (c->kind == SIM_SYNC)
            sync_node(p, durable, c->node);
        else if (!c->lost)
            pend(p, c);
    }
}

struct item {
    const struct sim_change *change;
    uint64_t from, len; /* of a write: one sector's part */
};

static struct item *cut_into_items(const struct pending *p, size_t *count)
{
    size_t n = 0, cap = 64;
    struct item *items = sim_alloc(NULL, cap * sizeof *items);
    for (size_t i = 0; i < p->count; i++) {
        const struct sim_change *c = p->items[i];
        uint64_t end = c->kind == SIM_WRITE ? c->offset + c->len : c->offset + 1;
        for (uint64_t at = c->offset; at < end;) {
            uint64_t next = c->kind == SIM_WRITE ? (at / SIM_SECTOR + 1) * SIM_SECTOR : end;
            if (next > end)
                next = end;
            if (n == cap) {
                cap *= 2;
                items = sim_alloc(items, cap * sizeof *items);
            }
            items[n++] = (struct item){c, at, next - at};
            at = next;
        }
    }
    *count = n;
    return items;
}

static void apply_item(struct sim_image *image, const struct item *it)
{
    if (it->change->kind == SIM_WRITE)
        sim_image_apply_part(image, it->change, it->from, it->len);
    else
        sim_image_apply(image, it->change);
}

/* Half of a sector: its beginning or its end. */
static void apply_torn(struct sim_image *image, const struct item *it, struct mr_rng *rng)
{
    if (it->change->kind != SIM_WRITE)
        return;
    uint64_t cut = mr_rng_below(rng, it->len);
    if (mr_rng_below(rng, 2) == 0)
        sim_image_apply_part(image, it->change, it->from, cut);
    else
        sim_image_apply_part(image, it->change, it->from + cut, it->len - cut);
}

struct simdisk *simdisk_power_cut(const struct simdisk *d, size_t moment, enum simdisk_keep keep,
                                  uint64_t seed)
{
    struct mr_rng rng = {seed};
    struct sim_image image;
    struct pending p = {NULL, 0, 0};
    size_t n;
    hold(d); /* the program may still be running; its record up to the moment stays as it is */
    play(d, moment, &image, &p);
    struct item *items = cut_into_items(&p, &n);
    size_t chosen = n != 0 ? mr_rng_below(&rng, n + (keep == SIMDISK_PREFIX)) : 0;
    uint64_t bias = 1 + mr_rng_below(&rng, 9); /* out of ten */
    for (size_t i = 0; i < n; i++) {
        bool kept = keep == SIMDISK_ALL || (keep == SIMDISK_PREFIX && i < chosen) ||
                    (keep == SIMDISK_ALL_BUT_ONE && i != chosen) ||
                    ((keep == SIMDISK_COIN || keep == SIMDISK_TORN) && mr_rng_below(&rng, 10) < bias);
        if (keep == SIMDISK_TORN && i == chosen)
            apply_torn(&image, &items[i], &rng);
        else if (kept)
            apply_item(&image, &items[i]);
    }
    release(d);
    free(items);
    free(p.items);
    return simdisk_over(&image);
}

struct simdisk *simdisk_kill(const struct simdisk *d, size_t moment, bool lose_writes)
{
    struct sim_image base, durable;
    hold(d);
    MR_ASSERT(moment <= d->nchanges);
    sim_image_copy(&d->base, &base);
    struct simdisk *after = simdisk_over(&base);
    for (size_t i = 0; i < moment; i++)
        simdisk_record(after, sim_change_copy(&d->changes[i]));
    release(d);
    if (lose_writes) {
        struct pending p = {NULL, 0, 0};
        play(after, moment, &durable, &p);
        for (size_t i = 0; i < p.count; i++)
            if (p.items[i]->kind == SIM_WRITE)
                after->changes[p.items[i] - after->changes].lost = true;
        free(p.items);
        sim_image_release(&durable);
    }
    return after;
}
