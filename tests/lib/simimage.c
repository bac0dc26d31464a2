#include "lib/simimage.h"

#include <stdlib.h>

void *sim_alloc(void *old, size_t bytes)
{
    void *p = realloc(old, bytes != 0 ? bytes : 1);
    MR_ASSERT(p != NULL);
    return p;
}

char *sim_strdup(const char *s, size_t len)
{
    char *copy = sim_alloc(NULL, len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

static void grow_nodes(struct sim_image *image, size_t count)
{
    if (count > image->cap) {
        image->cap = count * 2;
        image->nodes = sim_alloc(image->nodes, image->cap * sizeof *image->nodes);
    }
    while (image->count < count)
        image->nodes[image->count++] = (struct sim_node){.dir = false};
}

uint32_t sim_image_new_node(struct sim_image *image, bool dir)
{
    uint32_t node = (uint32_t)image->count;
    grow_nodes(image, image->count + 1);
    image->nodes[node].dir = dir;
    return node;
}

void sim_image_init(struct sim_image *image)
{
    *image = (struct sim_image){NULL, 0, 0};
    sim_image_new_node(image, true);
    image->nodes[SIM_ROOT].links = 1;
}

void sim_image_copy(const struct sim_image *from, struct sim_image *to)
{
    *to = (struct sim_image){NULL, 0, 0};
    grow_nodes(to, from->count);
    for (size_t i = 0; i < from->count; i++) {
        const struct sim_node *f = &from->nodes[i];
        struct sim_node *t = &to->nodes[i];
        *t = *f;
        t->opens = 0;
        t->cap = f->size;
        t->data = NULL;
        if (f->size != 0) {
            t->data = sim_alloc(NULL, f->size);
            memcpy(t->data, f->data, f->size);
        }
        t->names_cap = f->nnames;
        t->names = sim_alloc(NULL, f->nnames * sizeof *t->names);
        for (size_t k = 0; k < f->nnames; k++)
            t->names[k] =
                (struct sim_name){sim_strdup(f->names[k].name, strlen(f->names[k].name)), f->names[k].node};
    }
}

void sim_image_release(struct sim_image *image)
{
    for (size_t i = 0; i < image->count; i++) {
        struct sim_node *n = &image->nodes[i];
        free(n->data);
        for (size_t k = 0; k < n->nnames; k++)
            free(n->names[k].name);
        free(n->names);
    }
    free(image->nodes);
    *image = (struct sim_image){NULL, 0, 0};
}

struct sim_name *sim_image_find(const struct sim_image *image, uint32_t dir, const char *name, size_t len)
{
    if (dir >= image->count)
        return NULL;
    const struct sim_node *n = &image->nodes[dir];
    for (size_t i = 0; i < n->nnames; i++)
        if (strlen(n->names[i].name) == len && memcmp(n->names[i].name, name, len) == 0)
            return &n->names[i];
    return NULL;
}

static void remove_name(struct sim_image *image, uint32_t dir, const char *name, uint32_t child)
{
    struct sim_name *found = sim_image_find(image, dir, name, strlen(name));
    if (found == NULL || found->node != child)
        return;
    struct sim_node *d = &image->nodes[dir];
    image->nodes[child].links--;
    free(found->name);
    *found = d->names[--d->nnames];
}

static void add_name(struct sim_image *image, uint32_t dir, const char *name, uint32_t child)
{
    struct sim_name *found = sim_image_find(image, dir, name, strlen(name));
    image->nodes[child].links++;
    if (found != NULL) { /* replaced */
        image->nodes[found->node].links--;
        found->node = child;
        return;
    }
    struct sim_node *d = &image->nodes[dir];
    if (d->nnames == d->names_cap) {
        d->names_cap = d->names_cap * 2 + 4;
        d->names = sim_alloc(d->names, d->names_cap * sizeof *d->names);
    }
    d->names[d->nnames++] = (struct sim_name){sim_strdup(name, strlen(name)), child};
}

static void reach(struct sim_node *n, uint64_t end)
{
    if (end <= n->cap)
        return;
    uint64_t cap = n->cap * 2 > end ? n->cap * 2 : end;
    n->data = sim_alloc(n->data, cap);
    memset(n->data + n->cap, 0, cap - n->cap);
    n->cap = cap;
}

static void set_size(struct sim_node *n, uint64_t size)
{
    reach(n, size);
    if (size < n->cap)
        memset(n->data + size, 0, n->cap - size);
    n->size = size;
}

void sim_image_apply_part(struct sim_image *image, const struct sim_change *c, uint64_t from, uint64_t len)
{
    grow_nodes(image, (size_t)c->node + 1);
    struct sim_node *n = &image->nodes[c->node];
    reach(n, from + len); /* beyond the size: there when a size that was kept as well reveals it */
    if (len == 0)
        return;
    if (c->data != NULL)
        memcpy(n->data + from, c->data + (from - c->offset), len);
    else
        memset(n->data + from, 0, len);
}

void sim_image_apply(struct sim_image *image, const struct sim_change *c)
{
    grow_nodes(image, (size_t)(c->node > c->child ? c->node : c->child) + 1);
    switch (c->kind) {
    case SIM_WRITE:
        sim_image_apply_part(image, c, c->offset, c->len);
        break;
    case SIM_SIZE:
        if (c->offset > image->nodes[c->node].size) { /* growing reveals what was written there */
            reach(&image->nodes[c->node], c->offset);
            image->nodes[c->node].size = c->offset;
        } else {
            set_size(&image->nodes[c->node], c->offset);
        }
        break;
    case SIM_LINK:
        image->nodes[c->child].dir = c->dir;
        add_name(image, c->node, c->name, c->child);
        break;
    case SIM_UNLINK:
        remove_name(image, c->node, c->name, c->child);
        break;
    case SIM_RENAME:
        grow_nodes(image, (size_t)c->node2 + 1);
        image->nodes[c->child].dir = c->dir;
        remove_name(image, c->node, c->name, c->child);
        add_name(image, c->node2, c->name2, c->child);
        break;
    case SIM_SYNC:
        break;
    }
}

struct sim_change sim_change_copy(const struct sim_change *c)
{
    struct sim_change copy = *c;
    if (c->data != NULL) {
        copy.data = sim_alloc(NULL, c->len);
        memcpy(copy.data, c->data, c->len);
    }
    if (c->name != NULL)
        copy.name = sim_strdup(c->name, strlen(c->name));
    if (c->name2 != NULL)
        copy.name2 = sim_strdup(c->name2, strlen(c->name2));
    return copy;
}

void sim_change_release(struct sim_change *c)
{
    free(c->data);
    free(c->name);
    free(c->name2);
}
