/* Series and their blocks, out of the directory that is in memory. */
#include "magstore/reader.h"

static struct mr_cursor entry_of(const struct magstore_reader *r, uint64_t index)
{
    MR_ASSERT(index < r->info.series);
    uint64_t at = r->series[index].entry;
    return mr_cursor_of(r->directory + at, r->directory_bytes - at);
}

void magstore_reader_series(const struct magstore_reader *r, uint64_t index, struct magstore_series *out)
{
    struct mr_cursor c = entry_of(r, index);
    bool ok = magstore_directory_key(r, &c, &out->key, out->dims);
    struct magstore_block b = {.offset = r->series[index].blocks};
    out->blocks = mr_cursor_varint(&c);
    out->rows = 0;
    out->time_min = INT64_MAX;
    out->time_max = INT64_MIN;
    for (uint64_t i = 0; ok && i < out->blocks; i++) {
        ok = magstore_directory_block(&c, i == 0, &b);
        out->rows += b.rows;
        out->time_min = i == 0 ? b.time_min : out->time_min;
        out->time_max = b.time_max;
    }
    MR_ASSERT(ok); /* the open has looked at every entry */
}

bool magstore_reader_find(const struct magstore_reader *r, const struct magstore_key *key, uint64_t *index)
{
    uint64_t low = 0, high = r->info.series;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct mr_pair dims[MAGSTORE_MAX_DIMS];
        struct magstore_key other;
        struct mr_cursor c = entry_of(r, middle);
        MR_ASSERT(magstore_directory_key(r, &c, &other, dims));
        int order = magstore_key_cmp(&other, key);
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

void magstore_walk_start(const struct magstore_reader *r, uint64_t series, int64_t from, int64_t to,
                         struct magstore_walk *out)
{
    struct mr_pair dims[MAGSTORE_MAX_DIMS];
    struct magstore_key key;
    struct mr_cursor c = entry_of(r, series);
    MR_ASSERT(magstore_directory_key(r, &c, &key, dims));
    memset(out, 0, sizeof *out);
    out->blocks = mr_cursor_varint(&c);
    out->at = c.ptr;
    out->left = c.left;
    out->from = from;
    out->to = to;
    out->next.series = series;
    out->next.offset = r->series[series].blocks;
}

bool magstore_walk_next(struct magstore_walk *w, struct magstore_block *out)
{
    while (w->blocks > 0) {
        struct mr_cursor c = mr_cursor_of(w->at, w->left);
        MR_ASSERT(magstore_directory_block(&c, w->next.bytes == 0, &w->next));
        w->at = c.ptr;
        w->left = c.left;
        w->blocks--;
        if (w->next.time_min > w->to)
            w->blocks = 0;
        else if (w->next.time_max >= w->from) {
            *out = w->next;
            return true;
        }
    }
    return false;
}
