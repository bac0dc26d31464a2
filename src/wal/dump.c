/* wal/dump.c - the log as text: what is on disk, and what recovery would say. */
#include "wal/read.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

struct log {
    const struct mr_io *io;
    const char *dir;
    struct seal_keyring *keyring;
};

static void print_entries(const struct wal_frame *f, FILE *out)
{
    struct mr_cursor c = mr_cursor_of(f->payload.ptr, f->payload.len);
    struct mr_str entry;
    for (uint64_t lsn = f->header.first_lsn; wal_entry_next(&c, &entry); lsn++) {
        fprintf(out, "    entry lsn=%" PRIu64 " bytes=%zu ", lsn, entry.len);
        for (size_t i = 0; i < entry.len; i++)
            fprintf(out, "%02x", (unsigned char)entry.ptr[i]);
        fputc('\n', out);
    }
}

/* Begins at or above the next segment's first LSN: given out again there. */
static bool is_void(const struct wal_frame_header *h, uint64_t limit)
{
    return h->first_lsn >= limit;
}

static void print_frame(const struct wal_frame *f, uint64_t limit, bool behind, bool entries, FILE *out)
{
    const struct wal_frame_header *h = &f->header;
    const char *kind = behind ? "behind" : is_void(h, limit) ? "void" : h->entries == 0 ? "mark" : "frame";
    fprintf(out,
            "  %s offset=%" PRIu64 " bytes=%zu payload=%" PRIu32 " entries=%" PRIu32 " first_lsn=%" PRIu64
            " durable_lsn=%" PRIu64 " counter=%" PRIu64 " crc=%08" PRIx32 "\n",
            kind, h->offset, wal_frame_bytes(h->payload_bytes), h->payload_bytes, h->entries, h->first_lsn,
            h->durable_lsn, h->counter, h->crc);
    if (entries)
        print_entries(f, out);
}

/* Frames, then the first place that is none, then valid frames behind it ("behind": never replayed). */
static int dump_frames(struct wal_reader *r, uint64_t limit, bool entries, FILE *out, struct mr_error *err)
{
    bool behind = false;
    for (;;) {
        struct wal_frame f;
        const char *why;
        int status = wal_reader_next(r, &f, &why, err);
        if (status == MR_OK) {
            print_frame(&f, limit, behind, entries, out);
            continue;
        }
        if (status == MR_ECORRUPT) {
            fprintf(out, "  malformed offset=%" PRId64 " reason=\"%s\"\n", r->offset, why);
        } else if (status != MR_ENOENT) {
            return status;
        } else if (!behind) {
            fprintf(out, "  end offset=%" PRId64 " reason=\"%s\"\n", r->offset, why);
        }
        behind = true;
        r->offset += WAL_SECTOR;
        if (r->offset >= r->size)
            return MR_OK;
    }
}

static int dump_segment(const struct log *log, uint64_t sequence, uint64_t limit, bool entries, FILE *out,
                        struct mr_error *err)
{
    struct wal_reader r;
    struct mr_error local = MR_ERROR_INIT;
    char name[WAL_NAME_BYTES], id[2 * SEAL_ID_BYTES + 1];
    wal_segment_name(sequence, name);
    int status = wal_reader_open(&r, log->io, log->dir, log->keyring, sequence, &local);
    if (status == MR_ECORRUPT) {
        fprintf(out, "segment %s damaged \"%s\"\n", name, local.text);
        return MR_OK;
    }
    if (status != MR_OK)
        return mr_error_set(err, (enum mr_status)status, "%s", local.text);
    mr_hex_encode(r.header.id, SEAL_ID_BYTES, id);
    fprintf(out,
            "segment %s version=%" PRIu32 " bytes=%" PRId64 " of=%" PRIu64 " first_lsn=%" PRIu64
            " generation=%" PRIu32 " id=%s\n",
            name, r.header.version, r.size, r.header.segment_bytes, r.header.first_lsn, r.header.generation,
            id);
    status = dump_frames(&r, limit, entries, out, err);
    wal_reader_close(&r);
    return status;
}

/* First LSN of a segment; when that cannot be known no frame is taken for void. */
static uint64_t first_lsn(const struct log *log, uint64_t sequence)
{
    struct wal_reader r;
    if (wal_reader_open(&r, log->io, log->dir, log->keyring, sequence, NULL) != MR_OK)
        return UINT64_MAX;
    wal_reader_close(&r);
    return r.header.first_lsn;
}

int wal_dump_segment(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t sequence,
                     bool entries, FILE *out, struct mr_error *err)
{
    const struct log log = {io, dir, keyring};
    struct wal_list list;
    uint64_t limit = UINT64_MAX;
    int status = wal_list_read(io, dir, &list, err);
    for (size_t i = 0; i + 1 < list.count && status == MR_OK; i++)
        if (list.sequences[i] == sequence)
            limit = first_lsn(&log, list.sequences[i + 1]);
    wal_list_release(&list);
    return status == MR_OK ? dump_segment(&log, sequence, limit, entries, out, err) : status;
}

int wal_dump(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, bool entries, FILE *out,
             struct mr_error *err)
{
    const struct log log = {io, dir, keyring};
    struct wal_list list;
    int status = wal_list_read(io, dir, &list, err);
    for (size_t i = 0; i < list.count && status == MR_OK; i++) {
        uint64_t limit = i + 1 < list.count ? first_lsn(&log, list.sequences[i + 1]) : UINT64_MAX;
        status = dump_segment(&log, list.sequences[i], limit, entries, out, err);
    }
    wal_list_release(&list);
    if (status != MR_OK)
        return status;
    struct wal_recovery r;
    struct mr_error verdict = MR_ERROR_INIT;
    status = wal_recover(io, dir, keyring, 0, NULL, NULL, &r, &verdict);
    if (status == MR_OK)
        fprintf(out,
                "verdict ok next_lsn=%" PRIu64 " durable_lsn=%" PRIu64 " entries=%" PRIu64
                " unmarked=%" PRIu32 " torn_bytes=%" PRIu64 "\n",
                r.next_lsn, r.durable_lsn, r.entries, r.tail_entries, r.torn_bytes);
    else
        fprintf(out, "verdict %s \"%s\"\n", mr_status_name((enum mr_status)status), verdict.text);
    wal_recovery_release(&r);
    if (status != MR_OK)
        return mr_error_set(err, (enum mr_status)status, "%s", verdict.text);
    return MR_OK;
}
