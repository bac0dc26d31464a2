/* fuzz/segment.c - any bytes as a segment: opening, pages and merges may refuse, and nothing worse.
 *
 * Under MR_FUZZING checksums are not believed and pieces lie in the clear (src/magstore/segment_format.h), so
 * that changes reach heads and columns. The corpus are segments that a writer built the same way made. What a
 * reader accepts has to be in order, and a merge of two of the same has to give it back.
 */
#include "magstore/merge.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
    const uint8_t *bytes;
    size_t len;
};

static int mem_open(void *ctx, const char *path, int flags, unsigned mode)
{
    MR_UNUSED(ctx);
    MR_UNUSED(path);
    MR_UNUSED(flags);
    MR_UNUSED(mode);
    return 3;
}

static int mem_close(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    MR_UNUSED(fd);
    return 0;
}

static ssize_t mem_pread(void *ctx, int fd, void *buf, size_t len, int64_t offset)
{
    const struct file *f = ctx;
    MR_UNUSED(fd);
    if (offset < 0 || (uint64_t)offset >= f->len)
        return 0;
    len = len < f->len - (size_t)offset ? len : f->len - (size_t)offset;
    memcpy(buf, f->bytes + offset, len);
    return (ssize_t)len;
}

static int64_t mem_size(void *ctx, int fd)
{
    MR_UNUSED(fd);
    return (int64_t)((struct file *)ctx)->len;
}

/* Touches every byte that a reader of the values would. */
static uint64_t sum_up(const struct magstore_values *v, size_t rows)
{
    uint64_t sum = 0;
    for (size_t i = 0; v->type != MAGSTORE_NONE && i < rows; i++) {
        if (v->valid != NULL) {
            MR_ASSERT(v->valid[i] <= 1);
            if (v->valid[i] == 0)
                continue;
        }
        if (v->type == MAGSTORE_VARCHAR) {
            struct mr_str text = ((const struct mr_str *)v->values)[i];
            for (size_t k = 0; k < text.len; k++)
                sum += (unsigned char)text.ptr[k];
        } else if (v->type == MAGSTORE_BOOLEAN) {
            MR_ASSERT(((const uint8_t *)v->values)[i] <= 1);
        } else {
            sum += ((const uint64_t *)v->values)[i];
        }
    }
    return sum;
}

/* False: something was refused, so the merge may be. */
static bool read_pages(const struct magstore_reader *reader, uint64_t *sum)
{
    struct magstore_page *page;
    bool all = true;
    MR_ASSERT(magstore_page_new(&page) == MR_OK);
    for (uint32_t b = 0; b < magstore_reader_info(reader)->blocks; b++) {
        struct mr_error err = MR_ERROR_INIT;
        const int64_t *versions;
        uint32_t n, rows = magstore_reader_block(reader, b)->rows;
        if (magstore_page_load(page, reader, b, &err) != MR_OK) {
            MR_ASSERT(err.status == MR_ECORRUPT && err.text[0] != '\0');
            all = false;
            continue;
        }
        all = magstore_page_versions(page, &versions, &err) == MR_OK && all;
        const uint32_t *columns = magstore_page_columns(page, &n);
        for (uint32_t i = 0; i < n; i++) {
            struct magstore_values v;
            struct magstore_stats stats;
            magstore_page_stats(page, columns[i], &stats);
            MR_ASSERT(stats.count > 0 && stats.count <= rows);
            if (magstore_page_column(page, columns[i], &v, &err) == MR_OK)
                *sum += sum_up(&v, rows);
            else
                all = false;
        }
    }
    magstore_page_free(page);
    return all;
}

/* The same segment twice: every row once, in order. */
static void read_merged(struct magstore_reader *const *readers, bool whole)
{
    struct magstore_merge *merge;
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_rows rows;
    uint32_t series = 0, last = 0;
    int64_t time = 0;
    uint64_t seen = 0;
    int status;
    MR_ASSERT(magstore_merge_open(readers, 2, INT64_MIN, INT64_MAX, NULL, 0, true, &merge) == MR_OK);
    while ((status = magstore_merge_next(merge, 5000, false, &series, &rows, &err)) == MR_OK &&
           rows.count != 0) {
        for (size_t i = 0; i < rows.count; i++, seen++) {
            MR_ASSERT(seen == 0 || series > last || (series == last && rows.times[i] > time));
            last = series;
            time = rows.times[i];
        }
    }
    MR_ASSERT(!whole || (status == MR_OK && seen == magstore_reader_info(readers[0])->rows));
    magstore_merge_close(merge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file file = {data, size};
    const struct mr_io io = {
        .ctx = &file, .open = mem_open, .close = mem_close, .pread = mem_pread, .size = mem_size};
    const struct magstore_place place = {
        .io = &io, .dir = "/store", .database = 11, .table = 22, .number = 33};
    struct magstore_reader *readers[2];
    struct mr_error err = MR_ERROR_INIT;
    uint64_t sum = 0;
    int status = magstore_reader_open(&place, &readers[0], &err);
    if (status != MR_OK) {
        MR_ASSERT(status == MR_ECORRUPT && err.text[0] != '\0');
        return 0;
    }
    MR_ASSERT(magstore_reader_open(&place, &readers[1], &err) == MR_OK);
    bool whole = read_pages(readers[0], &sum);
    read_merged(readers, whole);
    magstore_reader_close(readers[0]);
    magstore_reader_close(readers[1]);
    MR_ASSERT(sum != 0 || size != 0); /* always so; but now somebody has looked at the sum */
    return 0;
}
