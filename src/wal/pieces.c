/* wal/pieces.c - which bytes of a log hold the entries of a range, while the log is being written or not. */
#include "wal/read.h"

/* Reads the frames whose entries count: below `limit`, and up to `lsn`. */
static int measure(struct wal_reader *r, uint64_t limit, uint64_t lsn, struct wal_piece *piece,
                   struct mr_error *err)
{
    uint64_t next = r->header.first_lsn;
    piece->bytes = (uint64_t)r->offset;
    while (next < limit && next <= lsn) {
        struct wal_frame frame;
        const char *why;
        int status = wal_reader_next(r, &frame, &why, err);
        if (status == MR_ENOENT || (status == MR_OK && frame.header.first_lsn != next))
            return mr_error_set(err, MR_ECORRUPT, "%s: damaged: LSN %llu is not there", r->path,
                                (unsigned long long)next);
        if (status != MR_OK)
            return status;
        next += frame.header.entries;
        piece->entries += frame.header.entries;
        piece->bytes = (uint64_t)r->offset;
    }
    piece->end_lsn = next;
    return MR_OK;
}

static int open_one(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t sequence,
                    struct wal_reader *reader, struct wal_piece *piece, struct mr_error *err)
{
    int status = wal_reader_open(reader, io, dir, keyring, sequence, err);
    if (status != MR_OK)
        return status;
    *piece = (struct wal_piece){.sequence = sequence,
                                .first_lsn = reader->header.first_lsn,
                                .segment_bytes = reader->header.segment_bytes};
    memcpy(piece->id, reader->header.id, sizeof piece->id);
    return MR_OK;
}

/* Headers of all segments that can be opened, ascending. One that has gone meanwhile said nothing that
 * counts: what counts is kept by the caller. */
static int read_headers(const struct mr_io *io, const char *dir, struct seal_keyring *keyring,
                        const struct wal_list *list, struct wal_piece *out, size_t *count,
                        struct mr_error *err)
{
    *count = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct wal_reader reader;
        struct mr_error why = MR_ERROR_INIT;
        int status = open_one(io, dir, keyring, list->sequences[i], &reader, &out[*count], &why);
        if (status == MR_ENOENT)
            continue;
        if (status != MR_OK)
            return mr_error_set(err, (enum mr_status)status, "%s", why.text);
        wal_reader_close(&reader);
        ++*count;
    }
    return MR_OK;
}

int wal_pieces(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t low,
               uint64_t lsn, struct wal_piece **out, size_t *count, struct mr_error *err)
{
    struct wal_list list;
    size_t n = 0, kept = 0;
    *out = NULL;
    *count = 0;
    int status = wal_list_read(io, dir, &list, err);
    if (status != MR_OK)
        return status;
    struct wal_piece *pieces = mr_calloc(list.count + 1, sizeof *pieces);
    status = pieces != NULL ? read_headers(io, dir, keyring, &list, pieces, &n, err)
                            : mr_error_set(err, MR_ENOMEM, "out of memory listing %s", dir);
    for (size_t i = 0; i < n && status == MR_OK; i++) {
        uint64_t limit = i + 1 < n ? pieces[i + 1].first_lsn : UINT64_MAX;
        bool needed = pieces[i].first_lsn < limit && limit > low + 1 && pieces[i].first_lsn <= lsn + 1;
        if (!needed)
            continue;
        struct wal_reader reader;
        struct wal_piece piece;
        status = open_one(io, dir, keyring, pieces[i].sequence, &reader, &piece, err);
        if (status != MR_OK)
            break;
        status = measure(&reader, limit, lsn, &piece, err);
        wal_reader_close(&reader);
        pieces[kept++] = piece; /* of an index that was looked at already */
    }
    if (status == MR_OK && lsn > low &&
        (kept == 0 || pieces[0].first_lsn > low + 1 || pieces[kept - 1].end_lsn <= lsn))
        status = mr_error_set(err, MR_ECORRUPT, "%s: the log does not hold LSN %llu to %llu", dir,
                              (unsigned long long)low + 1, (unsigned long long)lsn);
    wal_list_release(&list);
    if (status == MR_OK) {
        *out = pieces;
        *count = kept;
    } else {
        mr_free(pieces);
    }
    return status;
}
