/* Layout: docs/format/segment.md, "Directory". Differences of times wrap in 64 bits. */
#include "magstore/directory.h"

#include "base/cursor.h"

#define LEAST_ENTRY 10 /* as many varints */

static uint64_t zigzag(uint64_t difference)
{
    return (difference << 1) ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unzigzag(uint64_t z)
{
    return (z >> 1) ^ (0 - (z & 1));
}

/* What the first entry is measured against. */
static const struct magstore_entry nothing;

void magstore_entry_write(const struct magstore_entry *before, const struct magstore_entry *entry,
                          struct mr_buf *out)
{
    const struct magstore_entry *last = before != NULL ? before : &nothing;
    const struct magstore_block *b = &entry->block;
    mr_buf_varint(out, b->first_series - last->block.last_series);
    mr_buf_varint(out, b->last_series - b->first_series);
    mr_buf_varint(out, b->rows);
    mr_buf_varint(out, b->bytes);
    mr_buf_varint(out, entry->head_bytes);
    mr_buf_varint(out, entry->counter - last->counter);
    mr_buf_varint(out, zigzag((uint64_t)b->first_time - (uint64_t)last->block.last_time));
    mr_buf_varint(out, zigzag((uint64_t)b->last_time - (uint64_t)b->first_time));
    mr_buf_varint(out, (uint64_t)b->first_time - (uint64_t)b->time_min);
    mr_buf_varint(out, (uint64_t)b->time_max - (uint64_t)b->last_time);
}

static bool read_entry(struct mr_cursor *c, const struct magstore_entry *last, struct magstore_entry *out)
{
    struct magstore_block *b = &out->block;
    uint64_t gap = mr_cursor_varint(c), span = mr_cursor_varint(c);
    uint64_t rows = mr_cursor_varint(c), bytes = mr_cursor_varint(c), head = mr_cursor_varint(c);
    uint64_t counter = mr_cursor_varint(c);
    if (c->bad || gap > UINT32_MAX - last->block.last_series || rows == 0 || rows > MAGSTORE_BLOCK_ROWS ||
        bytes > SEGMENT_MAX_BLOCK || head < SEGMENT_PIECE_EXTRA || head > bytes || counter == 0)
        return false;
    b->first_series = last->block.last_series + (uint32_t)gap;
    if (span > UINT32_MAX - b->first_series)
        return false;
    b->last_series = b->first_series + (uint32_t)span;
    b->rows = (uint32_t)rows;
    b->bytes = (uint32_t)bytes;
    out->head_bytes = (uint32_t)head;
    out->counter = last->counter + counter;
    b->first_time = (int64_t)((uint64_t)last->block.last_time + unzigzag(mr_cursor_varint(c)));
    b->last_time = (int64_t)((uint64_t)b->first_time + unzigzag(mr_cursor_varint(c)));
    b->time_min = (int64_t)((uint64_t)b->first_time - mr_cursor_varint(c));
    b->time_max = (int64_t)((uint64_t)b->last_time + mr_cursor_varint(c));
    return !c->bad;
}

/* (series, time) ascends, within a block and from block to block. */
static bool in_order(const struct magstore_block *last, const struct magstore_block *b)
{
    bool times = b->time_min <= b->first_time && b->first_time <= b->time_max &&
                 b->time_min <= b->last_time && b->last_time <= b->time_max;
    if (b->first_series == b->last_series)
        times = times && b->time_min == b->first_time && b->time_max == b->last_time &&
                (b->rows == 1 ? b->first_time == b->last_time : b->first_time < b->last_time);
    else
        times = times && b->last_series - b->first_series >= 1 && b->rows >= 2;
    return times && (last == NULL || last->last_series < b->first_series || last->last_time < b->first_time);
}

const char *magstore_directory_parse(struct mr_str bytes, uint32_t count, uint64_t end,
                                     struct magstore_entry **out)
{
    *out = NULL;
    if (count == 0 || count > bytes.len / LEAST_ENTRY)
        return "wrong number of blocks";
    struct magstore_entry *entries = mr_malloc(count * sizeof *entries);
    if (entries == NULL)
        return "";
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    const char *wrong = NULL;
    uint64_t offset = sizeof(struct segment_header);
    for (uint32_t i = 0; wrong == NULL && i < count; i++) {
        struct magstore_entry *e = &entries[i];
        if (!read_entry(&c, i != 0 ? e - 1 : &nothing, e))
            wrong = "damaged entry of the directory";
        else if (e->block.bytes > end - offset)
            wrong = "blocks beyond the directory";
        else if (!in_order(i != 0 ? &e[-1].block : NULL, &e->block))
            wrong = "blocks out of order";
        e->block.offset = offset;
        offset += wrong == NULL ? e->block.bytes : 0;
    }
    if (wrong == NULL && (c.left != 0 || offset != end))
        wrong = "blocks do not fill the file";
    if (wrong != NULL) {
        mr_free(entries);
        return wrong;
    }
    *out = entries;
    return NULL;
}
