/* memstore/map.h - from a 32-bit hash to numbers: the index under names and series.
 *
 * Open addressing with linear probing over 8-byte slots (hash, number); the caller compares the keys behind
 * the numbers. A map that outgrows one small table is split into 256 by the top bits of the hash, and each
 * grows alone: the longest pause of an insert stays 1/256 of a full rebuild. Deletion shifts back, there are
 * no tombstones.
 */
#ifndef MR_MEMSTORE_MAP_H
#define MR_MEMSTORE_MAP_H

#include "memstore/heap.h"

#define MEM_NOT_FOUND UINT32_MAX

struct mem_slot {
    uint32_t hash;
    uint32_t number; /* MEM_NOT_FOUND: empty */
};

struct mem_shard {
    struct mem_slot *slots;
    uint32_t cap; /* power of two, or 0 */
    uint32_t used;
};

struct mem_map {
    struct mem_shard first;   /* while small */
    struct mem_shard *shards; /* 256 of them, or NULL */
};

struct mem_probe {
    const struct mem_shard *shard;
    uint32_t hash, at;
};

/* The first number filed under the hash, or MEM_NOT_FOUND; then the next ones. */
uint32_t mem_map_find(const struct mem_map *map, uint32_t hash, struct mem_probe *probe);
uint32_t mem_map_next(struct mem_probe *probe);

int mem_map_insert(struct mem_map *map, struct mem_heap *heap, uint32_t hash, uint32_t number) MR_MUST_USE;
/* The pair must be there. */
void mem_map_remove(struct mem_map *map, uint32_t hash, uint32_t number);
void mem_map_release(struct mem_map *map, struct mem_heap *heap);

#endif
