/* Damage anywhere: noticed, or harmless because only what nobody was promised is gone.
 *
 * A log is written once; each case works on a copy of its disk. MR_DAMAGE_CASES makes more of them,
 * MR_DAMAGE_SEED others.
 */
#include "lib/simdisk.h"
#include "unit/wal/kit.h"

#include "base/rand.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define DIR "/wal"
#define ENTRIES 400u

struct world {
    struct simdisk *disk;
    size_t flushed; /* moment: all is acknowledged, the last frame is not marked */
    size_t marked;  /* moment: closed, so all is marked */
    uint64_t tail_lsn;
    int64_t tail_offset, tail_end; /* the last frame, in the newest segment */
    uint64_t sequences[32];        /* of the segments, ascending */
    size_t count;
    uint64_t newest;
};

static struct world w;

static void make_dir(const struct mr_io *io)
{
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(io->mkdir(io->ctx, DIR, 0700), 0);
    check_ok(mr_io_sync_dir(io, "/", &err), &err);
}

static int set_up(void **state)
{
    MR_UNUSED(state);
    w.disk = simdisk_new();
    const struct mr_io *io = simdisk_io(w.disk);
    make_dir(io);
    struct wal_options o = kit_options(io, DIR);
    for (uint64_t n = 1; n <= ENTRIES;) {
        struct wal *wal = kit_open(&o, NULL);
        for (uint64_t stop = n + ENTRIES / 4; n < stop; n++) {
            kit_append(wal, n, NULL);
            if (n % 16 == 0)
                wal_flush(wal);
        }
        wal_flush(wal);
        w.flushed = simdisk_changes(w.disk);
        wal_close(wal);
    }
    w.marked = simdisk_changes(w.disk);

    struct simdisk *at = simdisk_power_cut(w.disk, w.flushed, SIMDISK_NONE, 0);
    struct wal_recovery r;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(wal_recover(simdisk_io(at), DIR, kit_keyring(), 0, NULL, NULL, &r, &err), &err);
    assert_true(r.count >= 4 && r.tail_entries != 0);
    w.tail_lsn = r.tail_lsn;
    assert_true(r.count <= MR_ARRAY_LEN(w.sequences));
    for (w.count = 0; w.count < r.count; w.count++) /* a segment made ready and never used leaves a gap */
        w.sequences[w.count] = r.segments[w.count].sequence;
    w.newest = w.sequences[w.count - 1];
    w.tail_end = r.end;
    w.tail_offset = r.end - (int64_t)wal_frame_bytes(r.tail.len);
    wal_recovery_release(&r);
    simdisk_free(at);
    return 0;
}

static int tear_down(void **state)
{
    MR_UNUSED(state);
    simdisk_free(w.disk);
    return 0;
}

static int open_segment(const struct mr_io *io, uint64_t sequence)
{
    char name[WAL_NAME_BYTES], path[64];
    wal_segment_name(sequence, name);
    snprintf(path, sizeof path, DIR "/%s", name);
    int fd = io->open(io->ctx, path, O_RDWR, 0);
    assert_true(fd >= 0);
    return fd;
}

enum outcome { NOTICED, INTACT, TAIL_LOST, WRONG };

static enum outcome outcome(const struct mr_io *io)
{
    struct kit_found f = {.first_lsn = 0};
    struct wal_recovery r;
    struct mr_error err = MR_ERROR_INIT;
    int status = wal_recover(io, DIR, kit_keyring(), 1, kit_replay, &f, &r, &err);
    enum outcome result = WRONG;
    if (status == MR_ECORRUPT) {
        result =
            strstr(err.text, "damaged") != NULL || strstr(err.text, "is needed") != NULL ? NOTICED : WRONG;
    } else if (status == MR_OK && !f.gap && f.first_lsn == 1) {
        bool right = f.count == ENTRIES || f.count == w.tail_lsn - 1;
        for (uint64_t lsn = 1; lsn <= f.count && right; lsn++)
            right = kit_found_is(&f, lsn, lsn);
        result = !right ? WRONG : f.count == ENTRIES ? INTACT : TAIL_LOST;
    }
    wal_recovery_release(&r);
    kit_found_release(&f);
    return result;
}

enum kind { FLIP, BYTE, BLOCK_ZERO, BLOCK_NOISE, BLOCK_COPY, TRUNCATE, KINDS };
static const char *const kind_names[] = {"bit flip", "byte",         "zeroed block",
                                         "noise",    "copied block", "truncation"};

struct hurt {
    enum kind kind;
    uint64_t sequence;
    int64_t offset, len;
};

/* Damages one place of one segment. Of the place, half are where frames are. */
static struct hurt hurt(const struct mr_io *io, struct mr_rng *rng)
{
    unsigned char block[WAL_SECTOR], other[WAL_SECTOR];
    struct hurt h = {.kind = (enum kind)mr_rng_below(rng, KINDS),
                     .sequence = w.sequences[mr_rng_below(rng, w.count)]};
    int fd = open_segment(io, h.sequence);
    int64_t size = io->size(io->ctx, fd);
    int64_t span = mr_rng_below(rng, 4) == 0 ? size : size < w.tail_end ? size : w.tail_end;
    h.len = h.kind <= BYTE ? 1 : mr_rng_below(rng, 2) == 0 ? 512 : WAL_SECTOR;
    h.offset = (int64_t)mr_rng_below(rng, (uint64_t)(span / h.len)) * h.len;
    if (h.kind == TRUNCATE) {
        h.offset = (int64_t)mr_rng_below(rng, (uint64_t)span);
        assert_int_equal(io->ftruncate(io->ctx, fd, h.offset), 0);
        io->close(io->ctx, fd);
        return h;
    }
    assert_int_equal(io->pread(io->ctx, fd, block, (size_t)h.len, h.offset), h.len);
    memcpy(other, block, sizeof other);
    switch (h.kind) {
    case FLIP:
        block[0] ^= (unsigned char)(1u << mr_rng_below(rng, 8));
        break;
    case BYTE:
        block[0] = (unsigned char)mr_rng_next(rng);
        break;
    case BLOCK_ZERO:
        memset(block, 0, sizeof block);
        break;
    case BLOCK_NOISE:
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = (unsigned char)mr_rng_next(rng);
        break;
    default: /* what belongs somewhere else in the file */
        io->pread(io->ctx, fd, block, (size_t)h.len,
                  (int64_t)mr_rng_below(rng, (uint64_t)(span / h.len)) * h.len);
        break;
    }
    assert_int_equal(io->pwrite(io->ctx, fd, block, (size_t)h.len, h.offset), h.len);
    io->close(io->ctx, fd);
    return h;
}

/* May the last frame be gone? Only if it was hurt itself and no mark follows it. */
static bool tail_hurt(const struct hurt *h)
{
    return h->sequence == w.newest && h->offset < w.tail_end && h->offset + h->len > w.tail_offset;
}

static void cases(size_t moment, bool marked)
{
    const char *text = getenv("MR_DAMAGE_CASES"), *seed_text = getenv("MR_DAMAGE_SEED");
    unsigned long n = text != NULL ? strtoul(text, NULL, 10) : 2500;
    uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 10) : 7;
    unsigned counts[4] = {0};
    for (unsigned long i = 0; i < n; i++) {
        struct mr_rng rng = {seed * 1000003 + i};
        struct simdisk *disk = simdisk_power_cut(w.disk, moment, SIMDISK_NONE, 0);
        struct hurt h = hurt(simdisk_io(disk), &rng);
        enum outcome o = outcome(simdisk_io(disk));
        counts[o]++;
        if (o == WRONG || (o == TAIL_LOST && (marked || !tail_hurt(&h))))
            fail_msg("case %lu seed %llu: %s at segment %llu offset %lld was %s", i, (unsigned long long)seed,
                     kind_names[h.kind], (unsigned long long)h.sequence, (long long)h.offset,
                     o == WRONG ? "taken for a good log" : "cut away though acknowledged");
        simdisk_free(disk);
    }
    print_message("%lu cases: %u noticed, %u harmless, %u only the unmarked last frame\n", n, counts[NOTICED],
                  counts[INTACT], counts[TAIL_LOST]);
    assert_true(counts[NOTICED] > n / 4 && counts[INTACT] > n / 50);
}

static void damage_to_marked_entries_is_noticed(void **state)
{
    MR_UNUSED(state);
    cases(w.marked, true);
}

static void damage_before_the_mark_costs_at_most_the_last_frame(void **state)
{
    MR_UNUSED(state);
    cases(w.flushed, false);
}

/* Every byte of a frame header and the first of its payload, every bit: with a mark behind it nothing goes
 * unnoticed. */
static void every_bit_of_a_frame_header_counts(void **state)
{
    MR_UNUSED(state);
    struct simdisk *disk = simdisk_power_cut(w.disk, w.marked, SIMDISK_NONE, 0);
    const struct mr_io *io = simdisk_io(disk);
    int fd = open_segment(io, w.newest);
    for (int64_t at = w.tail_offset; at < w.tail_offset + (int64_t)WAL_FRAME_HEADER_BYTES + 16; at++) {
        for (int bit = 0; bit < 8; bit++) {
            unsigned char byte, bad;
            assert_int_equal(io->pread(io->ctx, fd, &byte, 1, at), 1);
            bad = byte ^ (unsigned char)(1 << bit);
            assert_int_equal(io->pwrite(io->ctx, fd, &bad, 1, at), 1);
            assert_int_equal(outcome(io), NOTICED);
            assert_int_equal(io->pwrite(io->ctx, fd, &byte, 1, at), 1);
        }
    }
    assert_int_equal(outcome(io), INTACT);
    io->close(io->ctx, fd);
    simdisk_free(disk);
}

/* The last frame torn at each 512-byte sector: only the first so many are there, or all but one. */
static void a_tail_torn_at_any_sector_is_cut(void **state)
{
    MR_UNUSED(state);
    struct simdisk *start = simdisk_new();
    const struct mr_io *io = simdisk_io(start);
    make_dir(io);
    struct wal_options o = kit_options(io, DIR);
    struct wal *wal = kit_open(&o, NULL);
    static char big[15000];
    memset(big, 'b', sizeof big);
    assert_int_equal(wal_append(wal, MR_STR("small"), NULL, NULL), MR_OK);
    wal_flush(wal);
    assert_int_equal(wal_append(wal, (struct mr_str){big, sizeof big}, NULL, NULL), MR_OK);
    wal_flush(wal);
    size_t moment = simdisk_changes(start);
    wal_close(wal);
    int sectors = (int)(WAL_FRAME_HEADER_BYTES + sizeof big + 2 + SEAL_TAG_BYTES + 511) / 512;
    for (int how = 0; how < 2; how++) {
        for (int k = 0; k <= sectors; k++) {
            static const char zeros[512];
            struct simdisk *disk = simdisk_power_cut(start, moment, SIMDISK_NONE, 0);
            const struct mr_io *d = simdisk_io(disk);
            int fd = open_segment(d, 1);
            for (int i = 0; i < sectors; i++)
                if (how == 0 ? i >= k : i == k)
                    d->pwrite(d->ctx, fd, zeros, 512, 2 * WAL_SECTOR + i * 512);
            d->close(d->ctx, fd);
            struct wal_recovery r;
            struct mr_error err = MR_ERROR_INIT;
            check_ok(wal_recover(d, DIR, kit_keyring(), 0, NULL, NULL, &r, &err), &err);
            assert_int_equal(r.entries, k == sectors ? 2 : 1);
            wal_recovery_release(&r);
            simdisk_free(disk);
        }
    }
    simdisk_free(start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_to_marked_entries_is_noticed),
        cmocka_unit_test(damage_before_the_mark_costs_at_most_the_last_frame),
        cmocka_unit_test(every_bit_of_a_frame_header_counts),
        cmocka_unit_test(a_tail_torn_at_any_sector_is_cut),
    };
    return cmocka_run_group_tests_name("wal/damage", tests, set_up, tear_down);
}
