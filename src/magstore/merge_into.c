/* magstore/merge_into.c - compaction: what a merge reads goes into a writer. Memory is that of one block of
 * each reader, of the rows in between and of one block of the writer. */
#include "magstore/merge_private.h"

int magstore_merge_into(struct magstore_reader *const *readers, size_t nreaders, int64_t from, int64_t to,
                        struct magstore_writer *writer, bool (*stop)(void *ctx), void *ctx,
                        struct magstore_merged *out, struct mr_error *err)
{
    struct magstore_merge *m;
    size_t unasked = MAGSTORE_BLOCK_ROWS; /* rows since `stop` was asked */
    *out = (struct magstore_merged){0};
    int status = magstore_merge_open(readers, nreaders, from, to, NULL, 0, true, &m);
    if (status != MR_OK)
        return mr_error_set(err, status, "out of memory merging");
    while (status == MR_OK) {
        struct magstore_rows rows;
        uint32_t series;
        if (unasked >= MAGSTORE_BLOCK_ROWS && stop != NULL && stop(ctx)) {
            status = mr_error_set(err, MR_ECANCEL, "the merge was stopped");
            break;
        }
        unasked = unasked >= MAGSTORE_BLOCK_ROWS ? 0 : unasked;
        status = magstore_merge_next(m, MAGSTORE_BLOCK_ROWS, false, &series, &rows, err);
        if (status != MR_OK || rows.count == 0)
            break;
        status = magstore_writer_add(writer, series, &rows, err);
        out->rows_out += status == MR_OK ? rows.count : 0;
        unasked += rows.count;
    }
    for (size_t i = 0; i < nreaders; i++)
        out->rows_in += magstore_reader_info(readers[i])->rows;
    out->replaced = m->replaced;
    out->expired = out->rows_in - out->replaced - out->rows_out;
    magstore_merge_close(m);
    return status;
}
