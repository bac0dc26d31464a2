/* The series directory of a segment: checked as a whole when it is opened, walked afterwards without doubt.
 */
#include "magstore/reader.h"
#include "magstore/scratch.h"

static struct mr_str string_at(const struct magstore_reader *r, uint64_t number)
{
    size_t at = r->strings[number];
    struct mr_cursor c = mr_cursor_of(r->directory + at, r->directory_bytes - at);
    return mr_cursor_bytes(&c, mr_cursor_varint(&c));
}

static bool next_string(const struct magstore_reader *r, struct mr_cursor *c, struct mr_str *out)
{
    uint64_t number = mr_cursor_varint(c);
    if (c->bad || number >= r->nstrings)
        return false;
    *out = string_at(r, number);
    return true;
}

bool magstore_directory_key(const struct magstore_reader *r, struct mr_cursor *c, struct magstore_key *key,
                            struct mr_pair *dims)
{
    *key = (struct magstore_key){.dims = dims};
    if (!next_string(r, c, &key->measure_name))
        return false;
    uint8_t kind = mr_cursor_u8(c);
    uint64_t ndims = mr_cursor_varint(c);
    if (c->bad || (!magstore_is_value(kind) && kind != MAGSTORE_MULTI) || ndims > MAGSTORE_MAX_DIMS)
        return false;
    key->kind = kind;
    key->ndims = (uint32_t)ndims;
    for (uint64_t i = 0; i < ndims; i++)
        if (!next_string(r, c, &dims[i].name) || !next_string(r, c, &dims[i].value))
            return false;
    return true;
}

bool magstore_directory_block(struct mr_cursor *c, bool first, struct magstore_block *b)
{
    b->offset += b->bytes;
    uint64_t bytes = mr_cursor_varint(c), head = mr_cursor_varint(c), rows = mr_cursor_varint(c);
    uint64_t gap = mr_cursor_varint(c), span = mr_cursor_varint(c);
    if (c->bad || bytes > SEGMENT_MAX_BLOCK || head > bytes || head < sizeof(struct segment_block) ||
        rows == 0 || rows > MAGSTORE_BLOCK_ROWS)
        return false;
    uint64_t min = first ? gap >> 1 ^ (0 - (gap & 1)) : (uint64_t)b->time_max + gap, max = min + span;
    bool ascends = (first || (int64_t)min > b->time_max) && (int64_t)max >= (int64_t)min;
    b->bytes = (uint32_t)bytes;
    b->head_bytes = (uint32_t)head;
    b->rows = (uint32_t)rows;
    b->time_min = (int64_t)min;
    b->time_max = (int64_t)max;
    return ascends;
}

static int unpack(struct magstore_reader *r, struct mr_error *err)
{
    size_t len = r->footer.directory_bytes;
    uint64_t offset = r->footer.directory_offset;
    struct mr_buf packed = MR_BUF_INIT;
    struct magstore_scratch *scratch = NULL;
    char *to = len <= SEGMENT_MAX_DIRECTORY ? mr_buf_reserve(&packed, len + 1) : NULL;
    int status = to != NULL ? magstore_scratch_new(&scratch) : MR_ENOMEM;
    if (status == MR_OK)
        status = mr_io_pread_full(r->io, r->fd, to, len, (int64_t)offset, r->path, err);
    if (status != MR_OK)
        goto done;
    struct mr_cursor c = mr_cursor_of(to, len);
    r->directory_bytes = magstore_squeezed_length(c);
    if (!SEGMENT_CRC_IS(r->footer.directory_crc, mr_crc32c(0, to, len)) || r->directory_bytes == 0 ||
        r->directory_bytes > SEGMENT_MAX_DIRECTORY) {
        status = magstore_damaged(r, offset, "damaged series directory", err);
        goto done;
    }
    r->directory = mr_malloc(r->directory_bytes);
    if (r->directory == NULL)
        status = MR_ENOMEM;
    else if (magstore_unsqueeze(scratch, &c, r->directory, r->directory_bytes) != MR_OK || c.left != 0)
        status = magstore_damaged(r, offset, "damaged series directory", err);
done:
    magstore_scratch_free(scratch);
    mr_buf_release(&packed);
    return status;
}

/* Notes where the strings begin; the cursor ends behind them. */
static int index_strings(struct magstore_reader *r, struct mr_cursor *c)
{
    uint64_t n = mr_cursor_varint(c);
    if (c->bad || n > c->left)
        return MR_ECORRUPT;
    r->strings = mr_malloc((n + 1) * sizeof *r->strings);
    if (r->strings == NULL)
        return MR_ENOMEM;
    for (uint64_t i = 0; i < n; i++) {
        r->strings[i] = (uint32_t)(c->ptr - r->directory);
        mr_cursor_bytes(c, mr_cursor_varint(c));
    }
    r->nstrings = n;
    return c->bad ? MR_ECORRUPT : MR_OK;
}

/* What the entries add up to must be what the footer says. */
struct totals {
    uint64_t blocks, rows, offset;
    int64_t time_min, time_max;
};

static bool check_blocks(struct mr_cursor *c, struct totals *t)
{
    struct magstore_block b = {.offset = t->offset};
    uint64_t n = mr_cursor_varint(c);
    for (uint64_t i = 0; i < n; i++) {
        if (c->bad || !magstore_directory_block(c, i == 0, &b))
            return false;
        t->rows += b.rows;
        t->blocks++;
        t->time_min = b.time_min < t->time_min ? b.time_min : t->time_min;
        t->time_max = b.time_max > t->time_max ? b.time_max : t->time_max;
    }
    t->offset = b.offset + b.bytes;
    return !c->bad;
}

static int index_series(struct magstore_reader *r, struct mr_cursor *c, struct mr_pair *dims)
{
    struct totals t = {0, 0, sizeof(struct segment_header), INT64_MAX, INT64_MIN};
    struct magstore_key keys[2];
    if (r->info.series > c->left)
        return MR_ECORRUPT;
    r->series = mr_calloc(r->info.series + 1, sizeof *r->series);
    if (r->series == NULL)
        return MR_ENOMEM;
    for (uint64_t i = 0; i < r->info.series; i++) {
        struct magstore_key *key = &keys[i & 1];
        r->series[i].entry = (uint64_t)(c->ptr - r->directory);
        r->series[i].blocks = t.offset;
        if (!magstore_directory_key(r, c, key, dims + (i & 1) * MAGSTORE_MAX_DIMS) ||
            (i > 0 && magstore_key_cmp(&keys[~i & 1], key) >= 0) || !check_blocks(c, &t))
            return MR_ECORRUPT;
    }
    const struct segment_footer *f = &r->footer;
    bool fits = c->left == 0 && t.offset == f->directory_offset && t.blocks == f->blocks &&
                t.rows == f->rows && t.time_min == f->time_min && t.time_max == f->time_max;
    return fits ? MR_OK : MR_ECORRUPT;
}

int magstore_reader_load(struct magstore_reader *r, struct mr_error *err)
{
    int status = unpack(r, err);
    if (status != MR_OK)
        return status;
    struct mr_pair *dims = mr_malloc(2 * MAGSTORE_MAX_DIMS * sizeof *dims);
    if (dims == NULL)
        return MR_ENOMEM;
    struct mr_cursor c = mr_cursor_of(r->directory, r->directory_bytes);
    status = index_strings(r, &c);
    if (status == MR_OK)
        status = index_series(r, &c, dims);
    mr_free(dims);
    return status == MR_ECORRUPT
               ? magstore_damaged(r, r->footer.directory_offset, "damaged series directory", err)
               : status;
}
