/* memstore/intern.h - the distinct values of one dimension, each with the list of series that carry it.
 *
 * A word lives as long as a series uses it (`refs`). Its number is never given out again, so a number kept by
 * a reader that let the lock go can only miss, never lie. Posting lists are ascending; a series that is gone
 * stays in them until half of a list is stale (readers skip numbers without a series).
 */
#ifndef MR_MEMSTORE_INTERN_H
#define MR_MEMSTORE_INTERN_H

#include "memstore/map.h"
#include "memstore/pages.h"

struct mem_posting {
    uint32_t count, cap; /* cap 0: the one number (count 0 or 1) is inside */
    union {
        uint32_t one;
        uint32_t *many;
    };
};

static inline const uint32_t *mem_posting_items(const struct mem_posting *posting)
{
    return posting->cap != 0 ? posting->many : &posting->one;
}

/* `number` is above all that are there. */
int mem_posting_add(struct mem_posting *posting, struct mem_heap *heap, uint32_t number) MR_MUST_USE;
/* Takes the last one back when it is `number`. */
void mem_posting_undo(struct mem_posting *posting, uint32_t number);
/* Drops numbers without a series when more than half of the list is stale (`live` are not). */
void mem_posting_sweep(struct mem_posting *posting, struct mem_heap *heap, uint32_t live,
                       const struct mem_pages *series);
void mem_posting_release(struct mem_posting *posting, struct mem_heap *heap);

struct mem_word {
    struct mem_posting posting;
    uint32_t number;
    uint32_t hash;
    uint32_t refs; /* series that carry it */
    uint32_t len;
    char bytes[];
};

struct mem_dict {
    struct mem_map map;     /* hash of the bytes -> number */
    struct mem_pages words; /* number -> struct mem_word */
    uint32_t next;
};

static inline struct mr_str mem_word_str(const struct mem_word *word)
{
    return (struct mr_str){word->bytes, word->len};
}

static inline struct mem_word *mem_dict_word(const struct mem_dict *dict, uint32_t number)
{
    return mem_pages_get(&dict->words, number);
}

/* The hash under which names and values are filed. */
uint32_t mem_hash(struct mr_str s);

struct mem_word *mem_dict_find(const struct mem_dict *dict, struct mr_str s, uint32_t hash);
/* Finds or makes the word and adds a reference. NULL: no memory. */
struct mem_word *mem_dict_take(struct mem_dict *dict, struct mem_heap *heap, struct mr_str s);
/* Gives a reference back; the word goes with the last one. */
void mem_dict_give(struct mem_dict *dict, struct mem_heap *heap, struct mem_word *word);
void mem_dict_release(struct mem_dict *dict, struct mem_heap *heap);

#endif
