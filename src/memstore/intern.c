#include "memstore/intern.h"

#include "base/hash.h"

uint32_t mem_hash(struct mr_str s)
{
    return (uint32_t)mr_hash64(s.ptr, s.len, mr_hash_seed());
}

struct mem_word *mem_dict_find(const struct mem_dict *dict, struct mr_str s, uint32_t hash)
{
    struct mem_probe probe;
    for (uint32_t n = mem_map_find(&dict->map, hash, &probe); n != MEM_NOT_FOUND; n = mem_map_next(&probe)) {
        struct mem_word *word = mem_dict_word(dict, n);
        if (mr_str_eq(mem_word_str(word), s))
            return word;
    }
    return NULL;
}

static size_t word_size(size_t len)
{
    return sizeof(struct mem_word) + len;
}

struct mem_word *mem_dict_take(struct mem_dict *dict, struct mem_heap *heap, struct mr_str s)
{
    uint32_t hash = mem_hash(s);
    struct mem_word *word = mem_dict_find(dict, s, hash);
    if (word != NULL) {
        word->refs++;
        return word;
    }
    if (dict->next == MEM_NOT_FOUND || mem_pages_reserve(&dict->words, heap, dict->next) != MR_OK)
        return NULL;
    word = mem_alloc(heap, MEM_SERIES, word_size(s.len));
    if (word == NULL || mem_map_insert(&dict->map, heap, hash, dict->next) != MR_OK) {
        mem_free(heap, MEM_SERIES, word, word_size(s.len));
        return NULL;
    }
    *word = (struct mem_word){.number = dict->next, .hash = hash, .refs = 1, .len = (uint32_t)s.len};
    if (s.len != 0)
        memcpy(word->bytes, s.ptr, s.len);
    mem_pages_set(&dict->words, dict->next++, word);
    return word;
}

static void word_free(struct mem_heap *heap, struct mem_word *word)
{
    mem_posting_release(&word->posting, heap);
    mem_free(heap, MEM_SERIES, word, word_size(word->len));
}

void mem_dict_give(struct mem_dict *dict, struct mem_heap *heap, struct mem_word *word)
{
    MR_ASSERT(word->refs != 0);
    if (--word->refs != 0)
        return;
    mem_map_remove(&dict->map, word->hash, word->number);
    mem_pages_clear(&dict->words, heap, word->number);
    word_free(heap, word);
}

void mem_dict_release(struct mem_dict *dict, struct mem_heap *heap)
{
    for (uint32_t n = mem_pages_after(&dict->words, 0); n != UINT32_MAX;
         n = mem_pages_after(&dict->words, n + 1))
        word_free(heap, mem_dict_word(dict, n));
    mem_pages_release(&dict->words, heap);
    mem_map_release(&dict->map, heap);
    dict->next = 0;
}
