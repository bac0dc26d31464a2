#include "memstore/map.h"

enum { SHARDS = 256, SPLIT_AT = 4096, FIRST_CAP = 8 };

static struct mem_shard *shard_of(const struct mem_map *map, uint32_t hash)
{
    return map->shards != NULL ? &map->shards[hash >> 24] : (struct mem_shard *)&map->first;
}

uint32_t mem_map_next(struct mem_probe *probe)
{
    const struct mem_shard *shard = probe->shard;
    while (shard->cap != 0) {
        const struct mem_slot *slot = &shard->slots[probe->at];
        if (slot->number == MEM_NOT_FOUND)
            break;
        probe->at = (probe->at + 1) & (shard->cap - 1);
        if (slot->hash == probe->hash)
            return slot->number;
    }
    return MEM_NOT_FOUND;
}

uint32_t mem_map_find(const struct mem_map *map, uint32_t hash, struct mem_probe *probe)
{
    probe->shard = shard_of(map, hash);
    probe->hash = hash;
    probe->at = probe->shard->cap != 0 ? hash & (probe->shard->cap - 1) : 0;
    return mem_map_next(probe);
}

static void place(struct mem_shard *shard, uint32_t hash, uint32_t number)
{
    uint32_t at = hash & (shard->cap - 1);
    while (shard->slots[at].number != MEM_NOT_FOUND)
        at = (at + 1) & (shard->cap - 1);
    shard->slots[at] = (struct mem_slot){hash, number};
    shard->used++;
}

static int shard_grow(struct mem_shard *shard, struct mem_heap *heap)
{
    uint32_t cap = shard->cap != 0 ? shard->cap * 2 : FIRST_CAP;
    struct mem_shard grown = {mem_alloc(heap, MEM_SERIES, cap * sizeof *grown.slots), cap, 0};
    if (grown.slots == NULL)
        return MR_ENOMEM;
    memset(grown.slots, 0xFF, cap * sizeof *grown.slots);
    for (uint32_t i = 0; i < shard->cap; i++)
        if (shard->slots[i].number != MEM_NOT_FOUND)
            place(&grown, shard->slots[i].hash, shard->slots[i].number);
    mem_free(heap, MEM_SERIES, shard->slots, shard->cap * sizeof *shard->slots);
    *shard = grown;
    return MR_OK;
}

static int shard_insert(struct mem_shard *shard, struct mem_heap *heap, uint32_t hash, uint32_t number)
{
    if ((uint64_t)(shard->used + 1) * 4 > (uint64_t)shard->cap * 3 && shard_grow(shard, heap) != MR_OK)
        return MR_ENOMEM;
    place(shard, hash, number);
    return MR_OK;
}

static void release_shards(struct mem_shard *shards, struct mem_heap *heap)
{
    if (shards == NULL)
        return;
    for (int i = 0; i < SHARDS; i++)
        mem_free(heap, MEM_SERIES, shards[i].slots, shards[i].cap * sizeof *shards[i].slots);
    mem_free(heap, MEM_SERIES, shards, SHARDS * sizeof *shards);
}

static int split(struct mem_map *map, struct mem_heap *heap)
{
    struct mem_shard *shards = mem_alloc(heap, MEM_SERIES, SHARDS * sizeof *shards);
    if (shards == NULL)
        return MR_ENOMEM;
    memset(shards, 0, SHARDS * sizeof *shards);
    for (uint32_t i = 0; i < map->first.cap; i++) {
        struct mem_slot slot = map->first.slots[i];
        if (slot.number != MEM_NOT_FOUND &&
            shard_insert(&shards[slot.hash >> 24], heap, slot.hash, slot.number) != MR_OK) {
            release_shards(shards, heap);
            return MR_ENOMEM;
        }
    }
    mem_free(heap, MEM_SERIES, map->first.slots, map->first.cap * sizeof *map->first.slots);
    map->first = (struct mem_shard){NULL, 0, 0};
    map->shards = shards;
    return MR_OK;
}

int mem_map_insert(struct mem_map *map, struct mem_heap *heap, uint32_t hash, uint32_t number)
{
    if (map->shards == NULL && map->first.used >= SPLIT_AT && split(map, heap) != MR_OK)
        return MR_ENOMEM;
    return shard_insert(shard_of(map, hash), heap, hash, number);
}

void mem_map_remove(struct mem_map *map, uint32_t hash, uint32_t number)
{
    struct mem_shard *shard = shard_of(map, hash);
    MR_ASSERT(shard->cap != 0);
    uint32_t mask = shard->cap - 1, at = hash & mask;
    while (shard->slots[at].hash != hash || shard->slots[at].number != number) {
        MR_ASSERT(shard->slots[at].number != MEM_NOT_FOUND);
        at = (at + 1) & mask;
    }
    /* Close the gap: move back every later entry of the run that may not stay behind it (Knuth, algorithm 6.4
     * R). */
    for (uint32_t scan = (at + 1) & mask; shard->slots[scan].number != MEM_NOT_FOUND;
         scan = (scan + 1) & mask) {
        uint32_t home = shard->slots[scan].hash & mask;
        if (((scan - home) & mask) >= ((scan - at) & mask)) {
            shard->slots[at] = shard->slots[scan];
            at = scan;
        }
    }
    shard->slots[at].number = MEM_NOT_FOUND;
    shard->used--;
}

void mem_map_release(struct mem_map *map, struct mem_heap *heap)
{
    mem_free(heap, MEM_SERIES, map->first.slots, map->first.cap * sizeof *map->first.slots);
    release_shards(map->shards, heap);
    *map = (struct mem_map){{NULL, 0, 0}, NULL};
}
