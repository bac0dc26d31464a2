/* wal/recover.c - the recovery rule: what a log says after a crash, and when it has to refuse.
 *
 * Happy path
 *   1. List the segments, oldest first. Each header names the first LSN of its segment, and says that
 * everything below was durable when the segment came into use.
 *   2. Read frames in LSN order. Of an older segment only LSNs below the next segment's first count: what
 * comes after was cut by an earlier recovery, and its LSNs were given out again.
 *   3. In the newest segment read to the first invalid frame; m is the LSN it should have begun with.
 *   4. Look at every sector behind it for valid frames. D is the highest durable LSN that any header or frame
 * names.
 *   5. m > D: what is there is a torn write that nobody was told about. The log ends before m.
 *
 * Failure modes
 *   m <= D                  Entries that were acknowledged are gone: MR_ECORRUPT, whatever else is readable.
 *   damaged segment header  It was durable before the segment got its name, so this is damage: MR_ECORRUPT.
 *   a segment is missing    The one before ends below the next one's first LSN, which is m <= D: MR_ECORRUPT.
 * The oldest ones may be missing, down to the caller's need_lsn. newest segment shorter than it was made:
 * MR_ECORRUPT; marks may have gone with the end.
 *   a seal is broken        Right checksums over a wrong tag: no crash writes that, so it is never a torn end
 *                           to be cut. MR_ECORRUPT, as is a segment whose key the keyring does not have.
 *
 * Entries above D come back as well: they were written, perhaps acknowledged. But they may exist in the page
 * cache only (after a kill) or, after a failed sync, in clean pages that will never reach the disk. The
 * caller writes this `tail` again, into its next segment, before it builds on it. Reading changes nothing, so
 * a crash in the middle of recovery leaves the log as it was.
 */
#include "wal/read.h"

struct pass {
    const struct mr_io *io;
    const char *dir;
    struct seal_keyring *keyring;
    wal_replay_fn *replay;
    void *ctx;
    struct wal_recovery *out;
    uint64_t limit; /* LSNs from here on are void in the segment being read */
};

/* Reads all headers and holds them against each other. */
static int read_headers(struct pass *p, struct mr_error *err)
{
    struct wal_list list;
    int status = wal_list_read(p->io, p->dir, &list, err);
    if (status != MR_OK)
        return status;
    if (mr_grow((void **)&p->out->segments, &p->out->cap, list.count + 1, sizeof *p->out->segments) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory listing %s", p->dir);
    for (size_t i = 0; i < list.count && status == MR_OK; i++) {
        struct wal_reader reader;
        status = wal_reader_open(&reader, p->io, p->dir, p->keyring, list.sequences[i], err);
        if (status != MR_OK)
            break;
        uint64_t first = reader.header.first_lsn;
        if (i > 0 && first < p->out->segments[i - 1].first_lsn)
            status = mr_error_set(
                err, MR_ECORRUPT, "%s: damaged: begins at LSN %llu, the segment before at %llu", reader.path,
                (unsigned long long)first, (unsigned long long)p->out->segments[i - 1].first_lsn);
        else if (i + 1 == list.count && (uint64_t)reader.size != reader.header.segment_bytes)
            status = mr_error_set(err, MR_ECORRUPT, "%s: damaged: has %lld of %llu bytes", reader.path,
                                  (long long)reader.size, (unsigned long long)reader.header.segment_bytes);
        p->out->segments[i] = (struct wal_segment_ref){list.sequences[i], first};
        wal_reader_close(&reader);
    }
    if (status == MR_OK)
        p->out->count = list.count;
    wal_list_release(&list);
    return status;
}

/* A mark makes the tail, or its beginning, known to be durable. The tail is kept whole or dropped whole:
 * writers have one frame in flight, so a mark covers all of what came before it. */
static void raise_durable(struct wal_recovery *out, uint64_t lsn)
{
    if (lsn <= out->durable_lsn)
        return;
    out->durable_lsn = lsn;
    if (out->tail_entries != 0 && lsn + 1 >= out->tail_lsn + out->tail_entries) {
        out->tail.len = 0;
        out->tail_entries = 0;
    }
}

static int keep_tail(struct wal_recovery *out, const struct wal_reader *r, const struct wal_frame *f,
                     struct mr_error *err)
{
    if (f->header.entries == 0 || out->durable_lsn >= f->header.first_lsn + f->header.entries - 1)
        return MR_OK;
    if (out->tail.len + f->payload.len > WAL_MAX_PAYLOAD)
        return mr_error_set(err, MR_ECORRUPT,
                            "%s: damaged at offset %lld: too many frames without a durable mark", r->path,
                            (long long)f->header.offset);
    if (out->tail_entries == 0)
        out->tail_lsn = f->header.first_lsn;
    mr_buf_str(&out->tail, f->payload);
    if (!mr_buf_ok(&out->tail))
        return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", r->path);
    out->tail_entries += f->header.entries;
    return MR_OK;
}

static int replay_frame(struct pass *p, const struct wal_reader *r, const struct wal_frame *f,
                        struct mr_error *err)
{
    struct wal_recovery *out = p->out;
    if (f->header.first_lsn + f->header.entries > p->limit)
        return mr_error_set(err, MR_ECORRUPT,
                            "%s: damaged at offset %lld: a frame reaches LSN %llu, the next "
                            "segment begins at %llu",
                            r->path, (long long)f->header.offset,
                            (unsigned long long)(f->header.first_lsn + f->header.entries - 1),
                            (unsigned long long)p->limit);
    raise_durable(out, f->header.durable_lsn);
    int status = keep_tail(out, r, f, err);
    struct mr_cursor c = mr_cursor_of(f->payload.ptr, f->payload.len);
    struct mr_str entry;
    while (status == MR_OK && wal_entry_next(&c, &entry)) {
        status = p->replay != NULL ? p->replay(p->ctx, out->next_lsn, entry, err) : MR_OK;
        if (status == MR_OK) {
            out->next_lsn++;
            out->entries++;
            out->bytes += entry.len;
        }
    }
    return status;
}

static int damaged(const struct pass *p, const struct wal_reader *r, const char *why, uint64_t durable,
                   struct mr_error *err)
{
    return mr_error_set(
        err, MR_ECORRUPT,
        "%s: damaged at offset %lld: %s where LSN %llu should be, but everything up to LSN %llu was "
        "acknowledged",
        r->path, (long long)r->offset, why, (unsigned long long)p->out->next_lsn,
        (unsigned long long)durable);
}

/* What is behind the first invalid frame of the newest segment decides: torn or damaged. */
static int judge_tail(struct pass *p, struct wal_reader *r, const char *why, struct mr_error *err)
{
    struct wal_recovery *out = p->out;
    int64_t at = r->offset, used;
    uint64_t durable = out->durable_lsn;
    int status = wal_reader_scan(r, &durable, &used, err);
    if (status != MR_OK)
        return status;
    r->offset = at;
    if (out->next_lsn <= durable)
        return damaged(p, r, why, durable, err);
    raise_durable(out, durable);
    out->end = at;
    out->torn_bytes = (uint64_t)(used - at);
    return MR_OK;
}

static int read_segment(struct pass *p, const struct wal_segment_ref *ref, bool newest, struct mr_error *err)
{
    struct wal_recovery *out = p->out;
    struct wal_reader r;
    int status = wal_reader_open(&r, p->io, p->dir, p->keyring, ref->sequence, err);
    if (status != MR_OK)
        return status;
    MR_ASSERT(out->next_lsn ==
              ref->first_lsn); /* the segment before was read up to its limit, which this is */
    raise_durable(out, ref->first_lsn - 1);
    while (status == MR_OK && out->next_lsn < p->limit) {
        struct wal_frame f;
        const char *why;
        int64_t at = r.offset;
        status = wal_reader_next(&r, &f, &why, err);
        if (status == MR_OK && f.header.first_lsn != out->next_lsn) {
            why = "a frame with another LSN";
            status = MR_ENOENT;
            r.offset = at; /* its mark counts all the same */
        }
        if (status == MR_ENOENT) {
            status = newest ? judge_tail(p, &r, why, err) : damaged(p, &r, why, p->limit - 1, err);
            break;
        }
        if (status == MR_OK)
            status = replay_frame(p, &r, &f, err);
    }
    wal_reader_close(&r);
    return status;
}

int wal_recover(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t need_lsn,
                wal_replay_fn *replay, void *ctx, struct wal_recovery *out, struct mr_error *err)
{
    *out = (struct wal_recovery){.next_lsn = 1, .tail = MR_BUF_INIT};
    struct pass p = {io, dir, keyring, replay, ctx, out, UINT64_MAX};
    int status = read_headers(&p, err);
    if (status != MR_OK)
        return status;
    uint64_t first = out->count != 0 ? out->segments[0].first_lsn : 1;
    if (need_lsn != 0 && need_lsn < first)
        return mr_error_set(err, MR_ECORRUPT, "%s: the log begins at LSN %llu, LSN %llu is needed", dir,
                            (unsigned long long)first, (unsigned long long)need_lsn);
    out->next_lsn = first;
    for (size_t i = 0; i < out->count && status == MR_OK; i++) {
        bool newest = i + 1 == out->count;
        p.limit = newest ? UINT64_MAX : out->segments[i + 1].first_lsn;
        status = read_segment(&p, &out->segments[i], newest, err);
    }
    if (status == MR_OK && need_lsn > out->next_lsn)
        return mr_error_set(err, MR_ECORRUPT, "%s: the log ends before LSN %llu, LSN %llu is needed", dir,
                            (unsigned long long)out->next_lsn, (unsigned long long)need_lsn);
    return status;
}

void wal_recovery_release(struct wal_recovery *recovery)
{
    mr_free(recovery->segments);
    mr_buf_release(&recovery->tail);
    *recovery = (struct wal_recovery){.next_lsn = 0};
}
