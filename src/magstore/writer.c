/* magstore/writer.c - takes rows, in order, and cuts them into blocks. */
#include "magstore/writer.h"

#include "base/hash.h"
#include "base/rand.h"

#include <inttypes.h>
#include <stdio.h>

void magstore_segment_name(uint64_t number, char out[static MAGSTORE_NAME_BYTES])
{
    snprintf(out, MAGSTORE_NAME_BYTES, "seg-%016" PRIx64 ".mrs", number);
}

static void writer_free(struct magstore_writer *w)
{
    seal_key_wipe(&w->locks.key);
    seal_cipher_free(w->cipher);
    magstore_scratch_free(w->scratch);
    magstore_gather_release(&w->gather);
    magstore_head_release(&w->head);
    mr_buf_release(&w->pieces);
    mr_buf_release(&w->out);
    mr_buf_release(&w->directory);
    mr_free(w);
}

void magstore_writer_abort(struct magstore_writer *w)
{
    if (w == NULL)
        return;
    magstore_newfile_abort(&w->file);
    writer_free(w);
}

/* A fresh id, and the file's key from the newest key of the database. */
static int make_header(struct magstore_writer *w, const struct magstore_place *place, struct mr_error *err)
{
    struct segment_header header = {
        .version = SEGMENT_VERSION,
        .database = place->database,
        .table = place->table,
        .number = place->number,
    };
    memcpy(header.magic, SEGMENT_MAGIC, sizeof header.magic);
    mr_random_bytes(header.id, sizeof header.id);
    int status = MR_OK;
#ifndef MR_FUZZING
    struct seal_key key;
    status = seal_keyring_newest(place->keyring, place->database, &header.key_generation, &key, err);
    if (status == MR_OK)
        status = seal_derive(&key, header.id, &w->locks.key, err);
    seal_key_wipe(&key);
#endif
    header.crc = mr_crc32c(0, &header, offsetof(struct segment_header, crc));
    w->header_crc = header.crc;
    w->info.key_generation = header.key_generation;
    mr_buf_add(&w->out, &header, sizeof header);
    w->offset = sizeof header;
    if (status == MR_OK && !mr_buf_ok(&w->out))
        status = mr_error_set(err, MR_ENOMEM, "out of memory for a segment");
    return status;
}

int magstore_writer_open(const struct magstore_place *place, struct magstore_writer **out,
                         struct mr_error *err)
{
    char name[MAGSTORE_NAME_BYTES];
    *out = NULL;
    struct magstore_writer *w = mr_calloc(1, sizeof *w);
    if (w == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory for a segment");
    w->file = (struct magstore_newfile)MAGSTORE_NEWFILE_INIT;
    w->locks.database = w->info.database = place->database;
    w->locks.table = w->info.table = place->table;
    w->locks.number = place->number;
    w->counter = 1;
    w->info.time_min = INT64_MAX;
    w->info.time_max = INT64_MIN;
    int status = magstore_gather_init(&w->gather);
    if (status == MR_OK)
        status = seal_cipher_new(&w->cipher);
    if (status == MR_OK)
        status = magstore_scratch_new(&w->scratch);
    if (status != MR_OK)
        status = mr_error_set(err, status, "out of memory for a segment");
    if (status == MR_OK)
        status = make_header(w, place, err);
    magstore_segment_name(place->number, name);
    if (status == MR_OK)
        status = magstore_newfile_open(&w->file, place->io, place->dir, name, err);
    if (status != MR_OK) {
        magstore_writer_abort(w);
        return status;
    }
    *out = w;
    return MR_OK;
}

/* (series, time) ascends, from the rows before on. */
static int check_order(const struct magstore_writer *w, uint32_t series, const struct magstore_rows *rows,
                       struct mr_error *err)
{
    if (w->rows != 0 &&
        (series < w->last_series || (series == w->last_series && rows->times[0] <= w->last_time)))
        return mr_error_set(err, MR_EINVAL, "rows out of order: series %u after %u", series, w->last_series);
    for (size_t i = 1; i < rows->count; i++)
        if (rows->times[i] <= rows->times[i - 1])
            return mr_error_set(err, MR_EINVAL, "rows of series %u out of order", series);
    return MR_OK;
}

/* Where a series ends, a block may end as well. */
static bool cuts_here(const struct magstore_gather *g, uint32_t series)
{
    if (g->rows == 0 || g->runs[g->nruns - 1].series == series)
        return false;
    return g->rows >= SEGMENT_SHARED_ROWS || (g->nruns == 1 && g->rows >= SEGMENT_LONE_ROWS);
}

static int add_rows(struct magstore_writer *w, uint32_t series, const struct magstore_rows *rows,
                    struct mr_error *err)
{
    struct magstore_gather *g = &w->gather;
    int status = check_order(w, series, rows, err);
    if (status == MR_OK)
        status = magstore_gather_check(g, rows, err);
    if (status == MR_OK && cuts_here(g, series))
        status = magstore_writer_close_block(w, err);
    for (size_t at = 0, n; status == MR_OK && at < rows->count; at += n) {
        status = magstore_gather_fit(g, rows, at, &n, err);
        if (status == MR_OK && n != 0 && magstore_gather_add(g, series, rows, at, n) != MR_OK)
            status = mr_error_set(err, MR_ENOMEM, "out of memory for rows of a segment");
        if (status == MR_OK && (n == 0 || g->rows == MAGSTORE_BLOCK_ROWS))
            status = magstore_writer_close_block(w, err);
    }
    return status;
}

int magstore_writer_add(struct magstore_writer *w, uint32_t series, const struct magstore_rows *rows,
                        struct mr_error *err)
{
    if (w->failed != MR_OK)
        return mr_error_set(err, w->failed, "the segment failed before");
    if (rows->count == 0)
        return MR_OK;
    w->failed = add_rows(w, series, rows, err);
    if (w->failed != MR_OK)
        return w->failed;
    w->last_series = series;
    w->last_time = rows->times[rows->count - 1];
    w->rows += rows->count;
    return MR_OK;
}

uint64_t magstore_writer_bytes(const struct magstore_writer *w)
{
    return w->offset;
}

uint64_t magstore_writer_rows(const struct magstore_writer *w)
{
    return w->rows;
}

int magstore_writer_finish(struct magstore_writer *w, struct magstore_info *out, struct mr_error *err)
{
    int status = w->failed;
    if (status != MR_OK)
        status = mr_error_set(err, status, "the segment failed before");
    else if (w->rows == 0)
        status = mr_error_set(err, MR_EINVAL, "a segment without rows");
    if (status == MR_OK)
        status = magstore_writer_close_block(w, err);
    if (status == MR_OK)
        status = magstore_writer_close_file(w, err);
    if (status == MR_OK)
        status = magstore_newfile_finish(&w->file, err);
    if (status == MR_OK)
        *out = w->info;
    magstore_writer_abort(w); /* of a file that has its name, nothing is left to abort */
    return status;
}
