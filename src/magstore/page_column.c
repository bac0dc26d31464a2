/* magstore/page_column.c - decodes the versions and columns of the block at hand, each on first use. */
#include "magstore/page.h"

#include "base/cursor.h"

/* Memory of columns kept from one block to the next; more is given back. */
#define KEPT_BYTES ((size_t)64 << 20)

/* Lets go of the cache's pieces. */
static void let_go(struct magstore_page *p)
{
    struct magstore_cache *cache = p->holding;
    for (size_t i = 0; i < p->nslots; i++) {
        if (p->slots[i].held != NULL)
            magstore_cache_drop(cache, p->slots[i].held);
        p->slots[i].held = NULL;
    }
    if (p->held != NULL)
        magstore_cache_drop(cache, p->held);
    if (p->held_versions != NULL)
        magstore_cache_drop(cache, p->held_versions);
    p->held = p->held_versions = NULL;
}

void magstore_page_clear(struct magstore_page *p)
{
    size_t kept = 0;
    let_go(p);
    p->reader_id = 0;
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

/* A piece of the block at hand, to be filled and given to the cache. NULL: there is no cache, or no memory.
 */
static struct magstore_cached *new_piece(const struct magstore_page *p, uint32_t piece)
{
    struct magstore_cached *c = magstore_page_cache(p) != NULL ? mr_calloc(1, sizeof *c) : NULL;
    if (c == NULL)
        return NULL;
    c->reader = p->reader->id;
    c->block = p->index;
    c->piece = piece;
    return c;
}

static int decode_versions(struct magstore_page *p, struct mr_error *err)
{
    uint32_t offset = p->head->versions_offset;
    size_t bytes = MAGSTORE_BLOCK_ROWS * sizeof *p->versions;
    const struct magstore_piece piece = {SEGMENT_VERSIONS, p->index, 0, p->entry.counter + 2};
    if (p->versions == NULL)
        p->versions = mr_malloc(bytes);
    if (p->versions == NULL)
        return magstore_page_failed(p, MR_ENOMEM, 0, NULL, err);
    int status = magstore_page_piece(p, &piece, offset, p->head->versions, err);
    if (status != MR_OK)
        return status;
    status = magstore_decode_i64(p->scratch, mr_buf_view(&p->plain), p->versions, p->entry.block.rows);
    if (status != MR_OK)
        return magstore_page_failed(p, status, offset, "damaged versions", err);
    struct magstore_cached *kept = new_piece(p, MAGSTORE_CACHED_VERSIONS);
    if (kept == NULL)
        return MR_OK;
    kept->values = p->versions;
    kept->bytes = sizeof *kept + bytes;
    p->versions = NULL;
    magstore_cache_add(magstore_page_cache(p), kept);
    p->held_versions = kept;
    return MR_OK;
}

int magstore_page_versions(struct magstore_page *p, const int64_t **out, struct mr_error *err)
{
    MR_ASSERT(p->reader_id != 0);
    *out = NULL;
    if (p->head->versions == 0)
        return MR_OK;
    if (p->versions_here) {
        *out = p->held_versions != NULL ? p->held_versions->values : p->versions;
        return MR_OK;
    }
    if (magstore_page_cache(p) != NULL)
        p->held_versions =
            magstore_cache_find(magstore_page_cache(p), p->reader->id, p->index, MAGSTORE_CACHED_VERSIONS);
    if (p->held_versions == NULL) {
        int status = decode_versions(p, err);
        if (status != MR_OK)
            return status;
    }
    p->versions_here = true;
    p->bytes += p->head->versions + SEGMENT_PIECE_EXTRA;
    *out = p->held_versions != NULL ? p->held_versions->values : p->versions;
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

/* What stands in the slot goes to the cache; without memory for that it stays. */
static void keep_column(struct magstore_page *p, const struct magstore_head_column *c,
                        struct magstore_slot *s)
{
    struct magstore_cached *kept = new_piece(p, c->column);
    if (kept == NULL)
        return;
    kept->values = s->values;
    kept->valid = s->nulls ? s->valid : NULL;
    kept->bytes = sizeof *kept + s->values_cap + (s->nulls ? s->valid_cap : 0);
    if (c->stats.type == MAGSTORE_VARCHAR) {
        kept->texts = p->texts;
        kept->bytes += p->texts.total;
        p->texts = (struct mr_arena){.limit = p->texts.limit};
    }
    s->values = NULL;
    s->values_cap = 0;
    if (s->nulls) {
        s->valid = NULL;
        s->valid_cap = 0;
    }
    magstore_cache_add(magstore_page_cache(p), kept);
    s->held = kept;
}

static int new_slot(struct magstore_page *p)
{
    if (mr_grow((void **)&p->slots, &p->slots_cap, p->nslots + 1, sizeof *p->slots) != MR_OK)
        return MR_ENOMEM;
    if (p->nslots == p->slots_made)
        p->slots[p->slots_made++] = (struct magstore_slot){0};
    return MR_OK;
}

/* Fills the slot from the cache or from the file. */
static int fill_slot(struct magstore_page *p, const struct magstore_head_column *c, struct magstore_slot *s,
                     struct mr_error *err)
{
    struct magstore_cache *cache = magstore_page_cache(p);
    s->held = cache != NULL ? magstore_cache_find(cache, p->reader->id, p->index, c->column) : NULL;
    if (s->held == NULL) {
        const struct magstore_piece piece = {SEGMENT_COLUMN, p->index, c->column,
                                             p->entry.counter + c->counter};
        int status = magstore_page_piece(p, &piece, c->offset, c->plain, err);
        if (status != MR_OK)
            return status;
        status = decode_column(p, c, s);
        if (status != MR_OK)
            return magstore_page_failed(p, status, c->offset, "damaged column", err);
        keep_column(p, c, s);
    }
    p->bytes += c->plain + SEGMENT_PIECE_EXTRA;
    s->shown = s->held != NULL ? s->held->values : s->values;
    s->shown_valid = s->held != NULL ? s->held->valid : s->nulls ? s->valid : NULL;
    return MR_OK;
}

int magstore_page_column(struct magstore_page *p, uint32_t column, struct magstore_values *out,
                         struct mr_error *err)
{
    MR_ASSERT(p->reader_id != 0);
    *out = (struct magstore_values){.column = column, .type = MAGSTORE_NONE};
    const struct magstore_head_column *c = magstore_head_find(p->head, column);
    if (c == NULL)
        return MR_OK;
    uint32_t *slot = &p->slot_of[c - p->head->columns];
    if (*slot == 0) {
        if (new_slot(p) != MR_OK)
            return magstore_page_failed(p, MR_ENOMEM, c->offset, NULL, err);
        int status = fill_slot(p, c, &p->slots[p->nslots], err);
        if (status != MR_OK)
            return status;
        *slot = (uint32_t)++p->nslots;
    }
    const struct magstore_slot *s = &p->slots[*slot - 1];
    out->type = c->stats.type;
    out->values = s->shown;
    out->valid = s->shown_valid;
    return MR_OK;
}
