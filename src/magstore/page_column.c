/* magstore/page_column.c - decodes the versions and columns of the block at hand, each on first use. */
#include "magstore/page.h"

#include "base/cursor.h"

/* Memory of columns kept from one block to the next; more is given back. */
#define KEPT_BYTES ((size_t)64 << 20)

void magstore_page_clear(struct magstore_page *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->slots_made; i++)
        kept += p->slots[i].values_cap + p->slots[i].valid_cap;
    for (size_t i = 0; kept > KEPT_BYTES && i < p->slots_made; i++) {
        mr_free(p->slots[i].values);
        mr_free(p->slots[i].valid);
        p->slots[i] = (struct magstore_slot){0};
    }
    p->nslots = 0;
    p->versions_here = false;
    mr_arena_reset(&p->texts);
}

int magstore_page_versions(struct magstore_page *p, const int64_t **out, struct mr_error *err)
{
    MR_ASSERT(p->reader_id != 0);
    *out = NULL;
    if (p->head.versions == 0)
        return MR_OK;
    if (p->versions == NULL)
        p->versions = mr_malloc(MAGSTORE_BLOCK_ROWS * sizeof *p->versions);
    if (p->versions == NULL)
        return magstore_page_failed(p, MR_ENOMEM, 0, NULL, err);
    uint32_t offset = p->head.versions_offset;
    const struct magstore_piece piece = {SEGMENT_VERSIONS, p->index, 0, p->entry.counter + 2};
    int status = p->versions_here ? MR_OK : magstore_page_piece(p, &piece, offset, p->head.versions, err);
    if (status != MR_OK)
        return status;
    if (!p->versions_here) {
        status = magstore_decode_i64(p->scratch, mr_buf_view(&p->plain), p->versions, p->entry.block.rows);
        if (status != MR_OK)
            return magstore_page_failed(p, status, offset, "damaged versions", err);
    }
    p->versions_here = true;
    *out = p->versions;
    return MR_OK;
}

static int decode_texts(struct magstore_page *p, const struct magstore_head_column *c, struct mr_str bytes,
                        struct mr_str *to)
{
    int status = magstore_decode_str(p->scratch, bytes, c->texts, &p->texts, to, c->stats.count);
    size_t total = 0;
    for (size_t i = 0; status == MR_OK && i < c->stats.count; i++)
        total += to[i].len;
    return status == MR_OK && total != c->texts ? MR_ECORRUPT : status;
}

static int decode_values(struct magstore_page *p, const struct magstore_head_column *c, struct mr_str bytes,
                         void *to)
{
    size_t n = c->stats.count;
    switch (c->stats.type) {
    case MAGSTORE_DOUBLE:
        return magstore_decode_f64(p->scratch, bytes, to, n);
    case MAGSTORE_VARCHAR:
        return decode_texts(p, c, bytes, to);
    case MAGSTORE_BOOLEAN:
        return magstore_decode_bool(p->scratch, bytes, to, n);
    default:
        return magstore_decode_i64(p->scratch, bytes, to, n);
    }
}

/* Moves `count` values from the front to where `valid` says, from the back on, so that none is overwritten
 * before it moved; the others become zeros or empty views. */
static void spread_words(uint64_t *values, const uint8_t *valid, size_t rows, size_t count)
{
    for (size_t i = rows; i-- > 0;)
        values[i] = valid[i] != 0 ? values[--count] : 0;
}

static void spread_bytes(uint8_t *values, const uint8_t *valid, size_t rows, size_t count)
{
    for (size_t i = rows; i-- > 0;)
        values[i] = valid[i] != 0 ? values[--count] : 0;
}

static void spread_texts(struct mr_str *values, const uint8_t *valid, size_t rows, size_t count)
{
    for (size_t i = rows; i-- > 0;)
        values[i] = valid[i] != 0 ? values[--count] : MR_STR("");
}

static void spread(const struct magstore_slot *s, enum magstore_type type, size_t rows, size_t count)
{
    if (type == MAGSTORE_VARCHAR)
        spread_texts(s->values, s->valid, rows, count);
    else if (type == MAGSTORE_BOOLEAN)
        spread_bytes(s->values, s->valid, rows, count);
    else
        spread_words(s->values, s->valid, rows, count);
}

static int decode_valid(struct magstore_page *p, const struct magstore_head_column *c,
                        struct mr_cursor *bytes, struct magstore_slot *s)
{
    size_t rows = p->entry.block.rows, count = 0;
    if (mr_grow((void **)&s->valid, &s->valid_cap, rows, 1) != MR_OK)
        return MR_ENOMEM;
    struct mr_str bits = mr_cursor_bytes(bytes, mr_cursor_varint(bytes));
    if (bytes->bad)
        return MR_ECORRUPT;
    int status = magstore_decode_bool(p->scratch, bits, s->valid, rows);
    for (size_t i = 0; status == MR_OK && i < rows; i++)
        count += s->valid[i];
    return status == MR_OK && count != c->stats.count ? MR_ECORRUPT : status;
}

static int decode_column(struct magstore_page *p, const struct magstore_head_column *c,
                         struct magstore_slot *s)
{
    size_t rows = p->entry.block.rows, width = magstore_width(c->stats.type);
    struct mr_cursor bytes = mr_cursor_of(p->plain.ptr, p->plain.len);
    s->column = c->column;
    s->nulls = c->nulls;
    if (mr_grow(&s->values, &s->values_cap, rows * width, 1) != MR_OK)
        return MR_ENOMEM;
    int status = c->nulls ? decode_valid(p, c, &bytes, s) : MR_OK;
    if (status == MR_OK)
        status = decode_values(p, c, (struct mr_str){(const char *)bytes.ptr, bytes.left}, s->values);
    if (status == MR_OK && c->nulls)
        spread(s, c->stats.type, rows, c->stats.count);
    return status;
}

static int new_slot(struct magstore_page *p)
{
    if (mr_grow((void **)&p->slots, &p->slots_cap, p->nslots + 1, sizeof *p->slots) != MR_OK)
        return MR_ENOMEM;
    if (p->nslots == p->slots_made)
        p->slots[p->slots_made++] = (struct magstore_slot){0};
    return MR_OK;
}

int magstore_page_column(struct magstore_page *p, uint32_t column, struct magstore_values *out,
                         struct mr_error *err)
{
    MR_ASSERT(p->reader_id != 0);
    *out = (struct magstore_values){.column = column, .type = MAGSTORE_NONE};
    const struct magstore_head_column *c = magstore_head_find(&p->head, column);
    if (c == NULL)
        return MR_OK;
    uint32_t *slot = &p->slot_of[c - p->head.columns];
    if (*slot == 0) {
        const struct magstore_piece piece = {SEGMENT_COLUMN, p->index, column, p->entry.counter + c->counter};
        int status = magstore_page_piece(p, &piece, c->offset, c->plain, err);
        if (status != MR_OK)
            return status;
        status = new_slot(p);
        if (status == MR_OK)
            status = decode_column(p, c, &p->slots[p->nslots]);
        if (status != MR_OK)
            return magstore_page_failed(p, status, c->offset, "damaged column", err);
        *slot = (uint32_t)++p->nslots;
    }
    const struct magstore_slot *s = &p->slots[*slot - 1];
    out->type = c->stats.type;
    out->values = s->values;
    out->valid = s->nulls ? s->valid : NULL;
    return MR_OK;
}
