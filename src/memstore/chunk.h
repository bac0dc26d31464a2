/* memstore/chunk.h - up to 512 rows of one series, sorted by time, in one block of memory.
 *
 * The block, with `cap` rows of room and every part aligned to 8 bytes:
 *
 *     header | columns[ncols] | time[cap] i64 | lsn[cap] | version[cap] | values of column 0 | valid of
 * column 0 | ...
 *
 * An LSN is lsn_base plus 0, 4 or 8 bytes a row (`lsn_width`): 0 while all rows are of one commit, 4 as a
 * rule. A version likewise: clients without versions pay nothing for them. Values are 8 bytes (a VARCHAR is a
 * pointer to a counted struct mem_text, mostly shared with the row before), booleans 1 byte; `valid` (1 byte
 * a row) is there only for a column some row lacks.
 *
 * Whatever does not fit (room, another column, a wider LSN) makes a new block with a new shape
 * (chunk_reshape), the only allocation of this file; a block that fits is changed in place and that cannot
 * fail.
 */
#ifndef MR_MEMSTORE_CHUNK_H
#define MR_MEMSTORE_CHUNK_H

#include "memstore/heap.h"

struct mem_col {
    uint16_t column;
    uint8_t type;     /* enum mem_type */
    uint8_t nullable; /* the valid bytes are there */
    uint32_t offset;  /* of the values in the block */
};

struct mem_chunk {
    uint32_t size; /* bytes of the block */
    uint16_t rows, cap, ncols;
    uint8_t lsn_width, version_width; /* 0, 4 or 8 */
    uint64_t lsn_base;
    uint64_t lsn_max; /* no row's LSN is above it */
    int64_t version_base;
    struct mem_col cols[]; /* ascending by column */
};

/* A varchar value, shared by the rows that point to it (write lock). */
struct mem_text {
    uint32_t refs;
    uint32_t len;
    char bytes[];
};

/* A cell as it lies in a chunk. */
union mem_bits {
    double f64;
    int64_t i64;
    uint8_t boolean;
    struct mem_text *text;
};

/* How far the LSN of a batch may be from the guess its rows were inserted under: a chunk keeps that much room
 * in its 4-byte LSNs. It is the number of entries other tables log while one batch is being judged. */
#define MEM_LSN_SLACK (UINT64_C(1) << 31)

enum { MEM_CHUNK_ROWS = 512, MEM_CHUNK_BYTES = 32768, MEM_CHUNK_LEAST = 32 };

static inline uint32_t chunk_pad(uint32_t bytes)
{
    return (bytes + 7) & ~7u;
}

static inline uint32_t chunk_width(uint8_t type)
{
    return type == MEM_BOOLEAN ? 1 : 8;
}

static inline int64_t *chunk_time(const struct mem_chunk *c)
{
    return (int64_t *)((char *)c + sizeof *c + c->ncols * sizeof(struct mem_col));
}

static inline void *chunk_values(const struct mem_chunk *c, const struct mem_col *col)
{
    return (char *)c + col->offset;
}

static inline uint8_t *chunk_valid(const struct mem_chunk *c, const struct mem_col *col)
{
    return (uint8_t *)c + col->offset + chunk_pad(c->cap * chunk_width(col->type));
}

/* A prefetch that the compiler may not leave out: it takes a function of nothing but __builtin_prefetch for
 * one without effects, and drops its calls. */
static inline void chunk_touch(const void *at)
{
    __builtin_prefetch(at, 1);
    __asm__ volatile("" : : "r"(at));
}

/* Asks for the memory where the next row goes. */
static inline void chunk_prefetch_end(const struct mem_chunk *c)
{
    const int64_t *time = chunk_time(c);
    chunk_touch(time + c->rows);
    chunk_touch((const char *)(time + c->cap) + (size_t)c->rows * c->lsn_width);
    for (uint32_t i = 0; i < c->ncols && i < 4; i++)
        chunk_touch((char *)chunk_values(c, &c->cols[i]) + (size_t)c->rows * chunk_width(c->cols[i].type));
}

uint64_t chunk_lsn(const struct mem_chunk *c, uint32_t row);
int64_t chunk_version(const struct mem_chunk *c, uint32_t row);
void chunk_set_lsn(struct mem_chunk *c, uint32_t row, uint64_t lsn);        /* at least what is there */
void chunk_set_version(struct mem_chunk *c, uint32_t row, int64_t version); /* must fit */

/* First row with time >= t, or rows. */
uint32_t chunk_lower(const struct mem_chunk *c, int64_t t);
const struct mem_col *chunk_col(const struct mem_chunk *c, uint16_t column);

/* What a row needs of the chunk it goes into. */
struct chunk_need {
    const struct mem_cell *cells; /* ascending by column; NULL: the columns stay as they are */
    uint32_t ncells;
    uint32_t room; /* rows to be added: 0 or 1 */
    uint64_t lsn;
    int64_t version;
};

/* How many rows a chunk with the row's columns should hold at most. */
uint32_t chunk_limit(const struct mem_chunk *c, uint32_t ncells);

/* A new empty chunk that fits the need. NULL: no memory. */
struct mem_chunk *chunk_new(struct mem_heap *heap, const struct chunk_need *need, uint32_t cap);
/* Makes *c fit, by a new block if it must (doubling, up to `limit` rows). MR_ENOMEM: *c is as it was. */
int chunk_fit(struct mem_heap *heap, struct mem_chunk **c, const struct chunk_need *need, uint32_t limit);
/* Moves rows [at, rows) into a new chunk; the old one keeps its block. NULL: no memory, nothing changed. */
struct mem_chunk *chunk_split(struct mem_heap *heap, struct mem_chunk *c, uint32_t at);

/* The chunk fits. Bits follow the cells; text references become the chunk's. */
void chunk_insert(struct mem_chunk *c, uint32_t at, int64_t time, const struct chunk_need *need,
                  const union mem_bits *bits);
/* Overwrites the cells of a row, NULL where the cells have none; the old texts are the caller's business. */
void chunk_write(struct mem_chunk *c, uint32_t at, const struct chunk_need *need, const union mem_bits *bits);
/* Takes the columns from that number on out of the shape; no row has a value in them. */
void chunk_drop_columns(struct mem_chunk *c, uint32_t first);
/* Removes rows [from, to), giving their texts back. */
void chunk_remove(struct mem_heap *heap, struct mem_chunk *c, uint32_t from, uint32_t to);
/* Removes the rows with an LSN up to `lsn`, and raises *newest to the last time among them. No old copy of a
 * row that stays is as old as that. */
void chunk_remove_upto(struct mem_heap *heap, struct mem_chunk *c, uint64_t lsn, int64_t *newest);
/* Gives back room that many removals left; keeps the block when there is no memory for a smaller one. */
void chunk_shrink(struct mem_heap *heap, struct mem_chunk **c);
void chunk_free(struct mem_heap *heap, struct mem_chunk *c); /* with the texts of its rows */

struct mem_text *text_new(struct mem_heap *heap, struct mr_str s);
void text_give(struct mem_heap *heap, struct mem_text *text);

#endif
