/* magstore/page.h - inside of struct magstore_page: page.c loads blocks, page_column.c decodes columns. */
#ifndef MR_MAGSTORE_PAGE_H
#define MR_MAGSTORE_PAGE_H

#include "magstore/cache.h"
#include "magstore/head.h"
#include "magstore/reader.h"

/* A decoded column. Memory is kept from block to block, but what the cache has taken over. */
struct magstore_slot {
    uint32_t column;
    const void *shown; /* the values, here or in the cache */
    const uint8_t *shown_valid;
    struct magstore_cached *held; /* NULL: they are here */
    void *values;                 /* owned */
    size_t values_cap;
    uint8_t *valid; /* owned */
    size_t valid_cap;
    bool nulls;
};

struct magstore_page {
    struct magstore_scratch *scratch; /* this and the cipher: NULL until something was to be decoded */
    struct seal_cipher *cipher;
    const struct magstore_reader *reader;
    uint64_t reader_id; /* 0: nothing loaded */
    uint32_t index;     /* of the block */
    struct magstore_entry entry;
    bool past_cache;                /* neither looks into the cache nor adds to it */
    struct magstore_cache *holding; /* the cache of the block at hand; outlives its reader */
    struct magstore_cached *held;   /* head and times, when they are in the cache */
    const struct magstore_head *head;
    const int64_t *times;
    struct magstore_head own_head;
    struct mr_buf window; /* the block from its start on, as far as it was read */
    struct mr_buf stored; /* a piece read by itself */
    struct mr_buf plain;  /* a piece opened */
    int64_t *own_times;   /* owned; NULL until some were decoded here */
    size_t own_times_cap;
    int64_t *versions; /* owned, MAGSTORE_BLOCK_ROWS; NULL until some were needed */
    bool versions_here;
    struct magstore_cached *held_versions;
    struct magstore_slot *slots; /* owned; nslots hold columns, all slots_made have memory */
    size_t nslots, slots_made, slots_cap;
    uint32_t *slot_of; /* owned; by position in head.columns: slot + 1, 0: not decoded */
    size_t slot_of_cap;
    struct mr_arena texts;
    uint64_t bytes; /* of the pieces looked at, as stored, in the file or in the cache */
};

/* The cache to be used, or NULL. */
static inline struct magstore_cache *magstore_page_cache(const struct magstore_page *page)
{
    return page->past_cache ? NULL : page->reader->cache;
}
/* Makes what decoding needs. MR_ENOMEM. */
int magstore_page_tools(struct magstore_page *page);
/* Reads and opens a piece of the block into p->plain. */
int magstore_page_piece(struct magstore_page *page, const struct magstore_piece *piece, uint32_t offset,
                        uint32_t plain, struct mr_error *err);
/* Sets the message for a damaged piece, or for a lack of memory, and yields the status. */
int magstore_page_failed(const struct magstore_page *page, int status, uint32_t offset, const char *what,
                         struct mr_error *err);
/* Forgets the block, lets go of what the cache has of it; gives memory back when it is much. */
void magstore_page_clear(struct magstore_page *page);

#endif
