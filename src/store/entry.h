/* store/entry.h - a log entry of the store: what one append accepted, or that a table was dropped.
 *
 * docs/format/log-entry.md has the bytes. The writer takes a batch of the memory store; the reader is handed
 * outside bytes, trusts no length in them, and gives every part to a sink in the order of the entry.
 */
#ifndef MR_STORE_ENTRY_H
#define MR_STORE_ENTRY_H

#include "base/cursor.h"
#include "memstore/memstore.h"

#define ENTRY_VERSION 2
#define ENTRY_OLDEST 1 /* still read: rows of it never have ENTRY_DECIMALS */

enum entry_kind { ENTRY_APPEND = 1, ENTRY_DROP = 2 };

enum entry_row_flag {
    ENTRY_SAME_SERIES = 1,
    ENTRY_SAME_VERSION = 2,
    ENTRY_SAME_COLUMNS = 4,
    ENTRY_DECIMALS = 8,
};

/* Of a row with ENTRY_DECIMALS a DOUBLE is the varint `zigzag(n) << 2 | scale`, which stands for n divided by
 * the scale's power of ten; with scale 3 n is 0, and the 8 bytes of the double follow. */
enum entry_scale { ENTRY_ONES, ENTRY_HUNDREDTHS, ENTRY_TEN_THOUSANDTHS, ENTRY_NO_DECIMAL };
static const double entry_powers[] = {1, 100, 10000};

struct entry_head {
    enum entry_kind kind;
    uint64_t database_id, table_id;
};

/* Appends the entry to buf; test mr_buf_ok afterwards. The table's lock is held. */
void entry_write_append(struct mr_buf *buf, uint64_t database_id, uint64_t table_id,
                        const struct mem_table *table, const struct mem_batch *batch);
void entry_write_drop(struct mr_buf *buf, uint64_t database_id, uint64_t table_id);

/* What a sink returns other than MR_OK ends the reading and is returned. */
struct entry_sink {
    void *ctx;
    int (*column)(void *ctx, uint32_t column, enum mem_role role, enum mem_type type, struct mr_str name);
    int (*measure)(void *ctx, uint32_t measure, enum mem_type type, struct mr_str name);
    int (*series)(void *ctx, uint32_t series, uint32_t measure, const struct mem_dim *dims, uint32_t ndims);
    int (*row)(void *ctx, const struct mem_row *row);
};

/* MR_EINVAL: not an entry; *why (may be NULL) then says what was wrong with it. */
int entry_read_head(struct mr_cursor *cursor, struct entry_head *head, const char **why);
/* The rest of an ENTRY_APPEND. */
int entry_read_append(struct mr_cursor *cursor, const struct entry_sink *sink, const char **why);

#endif
