/* magstore/page.c - loads a block: its head and its times. */
#include "magstore/page.h"

#define READ_WHOLE ((size_t)16 << 10) /* blocks up to this size are read at once */
#define READ_BEHIND ((size_t)4 << 10) /* of others, so much is read with the head: times are small */

int magstore_page_new(struct magstore_page **out)
{
    *out = NULL;
    struct magstore_page *p = mr_calloc(1, sizeof *p);
    if (p == NULL)
        return MR_ENOMEM;
    p->texts = (struct mr_arena)MR_ARENA_INIT;
    p->texts.limit = SEGMENT_MAX_BLOCK;
    *out = p;
    return MR_OK;
}

void magstore_page_past_cache(struct magstore_page *p)
{
    p->past_cache = true;
}

int magstore_page_tools(struct magstore_page *p)
{
    if (p->scratch == NULL && magstore_scratch_new(&p->scratch) != MR_OK)
        return MR_ENOMEM;
    return p->cipher != NULL ? MR_OK : seal_cipher_new(&p->cipher);
}

void magstore_page_free(struct magstore_page *p)
{
    if (p == NULL)
        return;
    magstore_page_clear(p);
    for (size_t i = 0; i < p->slots_made; i++) {
        mr_free(p->slots[i].values);
        mr_free(p->slots[i].valid);
    }
    mr_free(p->slots);
    mr_free(p->slot_of);
    mr_free(p->own_times);
    mr_free(p->versions);
    magstore_head_release(&p->own_head);
    mr_buf_release(&p->window);
    mr_buf_release(&p->stored);
    mr_buf_release(&p->plain);
    mr_arena_release(&p->texts);
    magstore_scratch_free(p->scratch);
    seal_cipher_free(p->cipher);
    mr_free(p);
}

int magstore_page_failed(const struct magstore_page *p, int status, uint32_t offset, const char *what,
                         struct mr_error *err)
{
    if (status == MR_ECORRUPT)
        return magstore_damaged(p->reader, p->entry.block.offset + offset, what, err);
    return mr_error_set(err, status, "out of memory reading %s", p->reader->path);
}

/* len bytes of the block from `offset` on into `to`, which is emptied first. */
static int read_bytes(struct magstore_page *p, uint32_t offset, size_t len, struct mr_buf *to,
                      struct mr_error *err)
{
    const struct magstore_reader *r = p->reader;
    to->len = 0;
    to->failed = false;
    char *bytes = mr_buf_reserve(to, len);
    if (bytes == NULL)
        return magstore_page_failed(p, MR_ENOMEM, 0, NULL, err);
    int status =
        mr_io_pread_full(r->io, r->fd, bytes, len, (int64_t)(p->entry.block.offset + offset), r->path, err);
    if (status != MR_OK)
        return status;
    to->len = len;
    return MR_OK;
}

int magstore_page_piece(struct magstore_page *p, const struct magstore_piece *piece, uint32_t offset,
                        uint32_t plain, struct mr_error *err)
{
    size_t len = (size_t)plain + SEGMENT_PIECE_EXTRA;
    struct mr_str stored;
    if (magstore_page_tools(p) != MR_OK)
        return magstore_page_failed(p, MR_ENOMEM, offset, NULL, err);
    if (p->window.len >= offset && p->window.len - offset >= len) {
        stored = (struct mr_str){p->window.ptr + offset, len};
    } else {
        int status = read_bytes(p, offset, len, &p->stored, err);
        if (status != MR_OK)
            return status;
        stored = mr_buf_view(&p->stored);
    }
    p->plain.len = 0;
    p->plain.failed = false;
    if (mr_buf_reserve(&p->plain, (size_t)plain + 1) == NULL)
        return magstore_page_failed(p, MR_ENOMEM, offset, NULL, err);
    const char *wrong = magstore_piece_open(p->cipher, &p->reader->locks, piece, stored, p->plain.ptr);
    if (wrong != NULL)
        return magstore_page_failed(p, MR_ECORRUPT, offset, wrong, err);
    p->plain.len = plain;
    return MR_OK;
}

/* Times ascend within each run; the first, the last, the least and the greatest are those of the directory.
 */
static bool times_fit(const struct magstore_page *p)
{
    const struct magstore_block *b = &p->entry.block;
    const int64_t *t = p->own_times;
    int64_t min = t[0], max = t[0];
    bool ascend = true;
    for (size_t i = 0; i < p->own_head.nruns; i++) {
        const struct magstore_run *run = &p->own_head.runs[i];
        const int64_t *first = t + run->first;
        for (size_t k = 1; k < run->rows; k++)
            ascend &= first[k] > first[k - 1];
        min = first[0] < min ? first[0] : min;
        max = first[run->rows - 1] > max ? first[run->rows - 1] : max;
    }
    return ascend && t[0] == b->first_time && t[b->rows - 1] == b->last_time && min == b->time_min &&
           max == b->time_max;
}

static int load_head(struct magstore_page *p, struct mr_error *err)
{
    const struct magstore_entry *e = &p->entry;
    size_t len = e->block.bytes;
    if (len > READ_WHOLE)
        len = e->head_bytes + READ_BEHIND < len ? e->head_bytes + READ_BEHIND : len;
    int status = read_bytes(p, 0, len, &p->window, err);
    if (status != MR_OK)
        return status;
    const struct magstore_piece piece = {SEGMENT_HEAD, p->index, 0, e->counter};
    status = magstore_page_piece(p, &piece, 0, e->head_bytes - SEGMENT_PIECE_EXTRA, err);
    if (status != MR_OK)
        return status;
    status = magstore_head_parse(p->scratch, mr_buf_view(&p->plain), &e->block, e->head_bytes, &p->own_head);
    return status == MR_OK ? MR_OK : magstore_page_failed(p, status, 0, "damaged head of a block", err);
}

static int load_times(struct magstore_page *p, struct mr_error *err)
{
    const struct magstore_entry *e = &p->entry;
    uint32_t offset = p->own_head.times_offset;
    const struct magstore_piece piece = {SEGMENT_TIMES, p->index, 0, e->counter + 1};
    if (mr_grow((void **)&p->own_times, &p->own_times_cap, e->block.rows, sizeof *p->own_times) != MR_OK)
        return magstore_page_failed(p, MR_ENOMEM, 0, NULL, err);
    int status = magstore_page_piece(p, &piece, offset, p->own_head.times, err);
    if (status != MR_OK)
        return status;
    status = magstore_decode_i64(p->scratch, mr_buf_view(&p->plain), p->own_times, e->block.rows);
    if (status == MR_OK && !times_fit(p))
        status = MR_ECORRUPT;
    return status == MR_OK ? MR_OK : magstore_page_failed(p, status, offset, "damaged times", err);
}

/* Hands head and times over to the cache. Without memory for that they stay here. */
static void keep_head(struct magstore_page *p)
{
    struct magstore_cache *cache = magstore_page_cache(p);
    struct magstore_cached *piece = cache != NULL ? mr_calloc(1, sizeof *piece) : NULL;
    if (piece == NULL)
        return;
    piece->reader = p->reader->id;
    piece->block = p->index;
    piece->piece = MAGSTORE_CACHED_HEAD;
    piece->head = p->own_head;
    piece->times = p->own_times;
    piece->bytes = sizeof *piece + p->own_times_cap * sizeof *p->own_times +
                   p->own_head.runs_cap * sizeof *p->own_head.runs +
                   p->own_head.columns_cap * sizeof *p->own_head.columns +
                   p->own_head.numbers_cap * sizeof *p->own_head.numbers;
    p->own_head = (struct magstore_head){0};
    p->own_times = NULL;
    p->own_times_cap = 0;
    magstore_cache_add(cache, piece);
    p->held = piece;
}

static int load_block(struct magstore_page *p, struct mr_error *err)
{
    struct magstore_cache *cache = magstore_page_cache(p);
    if (cache != NULL)
        p->held = magstore_cache_find(cache, p->reader->id, p->index, MAGSTORE_CACHED_HEAD);
    p->window.len = 0;
    if (p->held == NULL) {
        int status = load_head(p, err);
        if (status == MR_OK)
            status = load_times(p, err);
        if (status != MR_OK)
            return status;
        keep_head(p);
    }
    p->head = p->held != NULL ? &p->held->head : &p->own_head;
    p->bytes += p->entry.head_bytes + p->head->times + SEGMENT_PIECE_EXTRA;
    p->times = p->held != NULL ? p->held->times : p->own_times;
    return MR_OK;
}

int magstore_page_load(struct magstore_page *p, const struct magstore_reader *r, uint32_t block,
                       struct mr_error *err)
{
    MR_ASSERT(block < r->info.blocks);
    if (p->reader_id == r->id && p->index == block)
        return MR_OK;
    magstore_page_clear(p);
    p->reader = r;
    p->index = block;
    p->entry = r->entries[block];
    p->holding = r->cache;
    int status = load_block(p, err);
    if (status == MR_OK &&
        mr_grow((void **)&p->slot_of, &p->slot_of_cap, p->head->ncolumns, sizeof *p->slot_of) != MR_OK)
        status = magstore_page_failed(p, MR_ENOMEM, 0, NULL, err);
    if (status != MR_OK)
        return status;
    if (p->head->ncolumns != 0)
        memset(p->slot_of, 0, p->head->ncolumns * sizeof *p->slot_of);
    p->reader_id = r->id;
    return MR_OK;
}

const struct magstore_run *magstore_page_runs(const struct magstore_page *p, uint32_t *count)
{
    MR_ASSERT(p->reader_id != 0);
    *count = (uint32_t)p->head->nruns;
    return p->head->runs;
}

const int64_t *magstore_page_times(const struct magstore_page *p)
{
    MR_ASSERT(p->reader_id != 0);
    return p->times;
}

const uint32_t *magstore_page_columns(const struct magstore_page *p, uint32_t *count)
{
    MR_ASSERT(p->reader_id != 0);
    *count = (uint32_t)p->head->ncolumns;
    return p->head->numbers;
}

uint64_t magstore_page_bytes(const struct magstore_page *p)
{
    return p->bytes;
}

void magstore_page_stats(const struct magstore_page *p, uint32_t column, struct magstore_stats *out)
{
    MR_ASSERT(p->reader_id != 0);
    const struct magstore_head_column *c = magstore_head_find(p->head, column);
    memset(out, 0, sizeof *out);
    if (c != NULL)
        *out = c->stats;
}
