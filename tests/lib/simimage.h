/* tests/lib/simimage.h - a file system at one moment, and the changes that lead from one to the next;
 * simdisk's own. */
#ifndef MR_TESTS_SIMIMAGE_H
#define MR_TESTS_SIMIMAGE_H

#include "base/base.h"

#define SIM_SECTOR 512u
#define SIM_ROOT 0u
#define SIM_NONE UINT32_MAX

struct sim_name {
    char *name; /* owned */
    uint32_t node;
};

struct sim_node {
    bool dir;
    unsigned char *data; /* up to cap; beyond `size` not visible */
    uint64_t size, cap;
    struct sim_name *names; /* of a directory */
    size_t nnames, names_cap;
    unsigned links; /* names that lead here */
    unsigned opens;
};

struct sim_image {
    struct sim_node *nodes; /* indexed by node number; numbers are never reused */
    size_t count, cap;
};

enum sim_kind {
    SIM_WRITE,  /* node, offset, len, data */
    SIM_SIZE,   /* node, offset: the new size */
    SIM_LINK,   /* node: the directory, name, child, dir: what kind of child */
    SIM_UNLINK, /* node: the directory, name, child */
    SIM_RENAME, /* node, name, child: from; node2, name2: to */
    SIM_SYNC,   /* node: its pending changes become durable */
};

struct sim_change {
    enum sim_kind kind;
    uint32_t node, node2, child;
    uint64_t offset, len;
    unsigned char *data; /* owned; NULL: zeros */
    char *name, *name2;  /* owned */
    bool dir;
    bool lost; /* seen by programs, and never to reach the disk */
};

void *sim_alloc(void *old, size_t bytes); /* realloc that aborts */
char *sim_strdup(const char *s, size_t len);

void sim_image_init(struct sim_image *image); /* an empty root directory */
void sim_image_copy(const struct sim_image *from, struct sim_image *to);
void sim_image_release(struct sim_image *image);
uint32_t sim_image_new_node(struct sim_image *image, bool dir);
struct sim_name *sim_image_find(const struct sim_image *image, uint32_t dir, const char *name, size_t len);

/* Brings a change into the image, whatever the image looks like: changes before it may have been lost. */
void sim_image_apply(struct sim_image *image, const struct sim_change *change);
/* Part of a SIM_WRITE: `len` bytes from `from` on. */
void sim_image_apply_part(struct sim_image *image, const struct sim_change *change, uint64_t from,
                          uint64_t len);

struct sim_change sim_change_copy(const struct sim_change *change);
void sim_change_release(struct sim_change *change);

#endif
