/* The recovery rule, case by case, on logs written by hand. */
#include "lib/simdisk.h"
#include "unit/wal/craft.h"

#include "base/hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define DIR "/wal"

struct world {
    struct simdisk *disk;
    const struct mr_io *io;
    struct craft c;
    struct kit_found found;
    struct wal_recovery r;
    struct mr_error err;
};

static int set_up(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof w);
    w.disk = simdisk_new();
    w.io = simdisk_io(w.disk);
    *state = &w;
    return w.io->mkdir(w.io->ctx, DIR, 0700);
}

static int tear_down(void **state)
{
    struct world *w = *state;
    kit_found_release(&w->found);
    wal_recovery_release(&w->r);
    simdisk_free(w->disk);
    return 0;
}

static void put(struct world *w)
{
    craft_write(&w->c, w->io, DIR, w->c.header.sequence);
}

static int recover_from(struct world *w, uint64_t need)
{
    kit_found_release(&w->found);
    wal_recovery_release(&w->r);
    w->err = (struct mr_error)MR_ERROR_INIT;
    size_t before = simdisk_changes(w->disk);
    int status = wal_recover(w->io, DIR, kit_keyring(), need, kit_replay, &w->found, &w->r, &w->err);
    assert_int_equal(simdisk_changes(w->disk), before); /* recovery only reads */
    return status;
}

/* The dump says what recovery says. */
static void dump_agrees(struct world *w, int want)
{
    char *text = NULL;
    size_t len;
    struct mr_error err = MR_ERROR_INIT;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(wal_dump(w->io, DIR, kit_keyring(), true, out, &err), want);
    fclose(out);
    assert_non_null(strstr(text, want == MR_OK ? "verdict ok next_lsn=" : "verdict corrupt \""));
    assert_string_equal(err.text, w->err.text);
    free(text);
}

/* The log is healthy and holds exactly the entries first..last. */
static void healthy(struct world *w, uint64_t first, uint64_t last)
{
    check_ok(recover_from(w, 0), &w->err);
    assert_false(w->found.gap);
    assert_int_equal(w->found.count, last - first + 1);
    for (uint64_t lsn = first; lsn <= last; lsn++)
        assert_true(kit_found_is(&w->found, lsn, lsn));
    assert_int_equal(w->r.next_lsn, last + 1);
    assert_int_equal(w->r.entries, last - first + 1);
    dump_agrees(w, MR_OK);
}

/* The log is damaged, and the report says so in these words. wal_open agrees and leaves the disk alone. */
static void damaged(struct world *w, const char *words)
{
    struct wal *wal;
    assert_int_equal(recover_from(w, 0), MR_ECORRUPT);
    if (strstr(w->err.text, words) == NULL)
        fail_msg("report \"%s\" lacks \"%s\"", w->err.text, words);
    dump_agrees(w, MR_ECORRUPT);
    struct wal_options o = kit_options(w->io, DIR);
    struct kit_found found = {.first_lsn = 0};
    size_t before = simdisk_changes(w->disk);
    assert_int_equal(wal_open(&o, kit_replay, &found, &wal, NULL), MR_ECORRUPT);
    assert_int_equal(simdisk_changes(w->disk), before);
    kit_found_release(&found);
}

static void an_empty_directory_is_an_empty_log(void **state)
{
    struct world *w = *state;
    healthy(w, 1, 0);
    assert_int_equal(w->r.count, 0);
}

static void other_names_are_not_ours(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"wal-1.log",
                                        "wal-000000000000000G.log",
                                        "wal-000000000000000A.log",
                                        "wal-0000000000000001.log.tmp",
                                        "wal-ready.tmp",
                                        "lost+found"};
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        char path[64];
        snprintf(path, sizeof path, DIR "/%s", names[i]);
        int fd = w->io->open(w->io->ctx, path, O_RDWR | O_CREAT, 0600);
        assert_int_equal(w->io->pwrite(w->io->ctx, fd, "junk", 4, 0), 4);
        w->io->close(w->io->ctx, fd);
    }
    healthy(w, 1, 0);
}

static void entries_above_the_last_mark_are_the_tail(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    craft_frame(&w->c, 4, 2, 3);
    put(w);
    healthy(w, 1, 5);
    assert_int_equal(w->r.durable_lsn, 3);
    assert_int_equal(w->r.tail_lsn, 4);
    assert_int_equal(w->r.tail_entries, 2);
    craft_frame(&w->c, 6, 0, 5); /* the idle mark */
    put(w);
    healthy(w, 1, 5);
    assert_int_equal(w->r.durable_lsn, 5);
    assert_int_equal(w->r.tail_entries, 0);
    assert_int_equal(w->r.torn_bytes, 0);
}

static void a_torn_frame_is_cut(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    size_t at = craft_frame(&w->c, 4, 30, 3);
    size_t end = w->c.offset;
    assert_true(end - at > WAL_SECTOR);
    memset(w->c.bytes + at + WAL_SECTOR, 0, 512);
    put(w);
    healthy(w, 1, 3);
    assert_int_equal(w->r.end, at);
    assert_int_equal(w->r.torn_bytes, end - at);
}

static void good_frames_behind_a_torn_one_are_never_replayed(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    size_t at = craft_frame(&w->c, 4, 2, 3);
    craft_frame(&w->c, 6, 2, 3); /* was in flight together with the one before */
    w->c.bytes[at + 100] ^= 1;
    put(w);
    healthy(w, 1, 3);
}

static void a_later_mark_makes_a_bad_frame_damage(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    size_t at = craft_frame(&w->c, 4, 2, 3);
    craft_frame(&w->c, 6, 1, 5);
    w->c.bytes[at + 100] ^= 1;
    put(w);
    damaged(
        w,
        "wal-0000000000000001.log: damaged at offset 8192: payload checksum differs where LSN 4 should be, "
        "but everything up to LSN 5 was acknowledged");
}

static void the_idle_mark_guards_the_last_frame(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    size_t at = craft_frame(&w->c, 1, 3, 0);
    craft_frame(&w->c, 4, 0, 3);
    w->c.bytes[at] ^= 1;
    put(w);
    damaged(w, "damaged at offset 4096: no frame where LSN 1 should be, but everything up to LSN 3");
}

static void a_lost_mark_is_harmless(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    size_t at = craft_frame(&w->c, 4, 0, 3);
    w->c.bytes[at + 20] ^= 1;
    put(w);
    healthy(w, 1, 3);
}

static void the_next_segment_is_a_mark_as_well(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    size_t at = craft_frame(&w->c, 1, 3, 0);
    w->c.bytes[at + WAL_FRAME_HEADER_BYTES] ^= 1;
    put(w);
    craft_begin(&w->c, 2, 4);
    craft_frame(&w->c, 4, 2, 3);
    put(w);
    damaged(w, "wal-0000000000000001.log: damaged at offset 4096: payload checksum differs where LSN 1 "
               "should be, but "
               "everything up to LSN 3");
}

static void what_a_recovery_cut_stays_cut(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    craft_payload(&w->c, 4, 1, 3, MR_STR("\4void"));
    craft_payload(&w->c, 5, 1, 4, MR_STR("\4void"));
    put(w);
    craft_begin(&w->c, 2, 4); /* the LSNs were given out again */
    craft_frame(&w->c, 4, 3, 3);
    put(w);
    healthy(w, 1, 6);
    craft_begin(&w->c, 3, 4); /* and once more */
    craft_frame(&w->c, 4, 1, 3);
    put(w);
    healthy(w, 1, 4);
}

static void a_missing_segment_is_damage_unless_it_is_the_oldest(void **state)
{
    struct world *w = *state;
    for (uint64_t s = 1; s <= 3; s++) {
        craft_begin(&w->c, s, s * 10 - 9);
        craft_frame(&w->c, s * 10 - 9, 10, s * 10 - 10);
        put(w);
    }
    healthy(w, 1, 30);
    w->io->unlink(w->io->ctx, DIR "/wal-0000000000000002.log");
    damaged(w, "wal-0000000000000001.log: damaged at offset");
    w->io->unlink(w->io->ctx, DIR "/wal-0000000000000001.log");
    healthy(w, 21, 30);
    check_ok(recover_from(w, 21), &w->err);
    assert_int_equal(recover_from(w, 20), MR_ECORRUPT);
    assert_non_null(strstr(w->err.text, "begins at LSN 21, LSN 20 is needed"));
    check_ok(recover_from(w, 31), &w->err);
    assert_int_equal(recover_from(w, 32), MR_ECORRUPT);
    assert_non_null(strstr(w->err.text, "ends before LSN 31, LSN 32 is needed"));
}

static void segments_have_to_follow_each_other(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 10);
    craft_frame(&w->c, 10, 1, 9);
    put(w);
    craft_begin(&w->c, 2, 9);
    craft_frame(&w->c, 9, 1, 8);
    put(w);
    damaged(w, "wal-0000000000000002.log: damaged: begins at LSN 9, the segment before at 10");
}

static void a_frame_cannot_reach_into_the_next_segment(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 4, 0);
    put(w);
    craft_begin(&w->c, 2, 3);
    craft_frame(&w->c, 3, 1, 2);
    put(w);
    damaged(w, "a frame reaches LSN 4, the next segment begins at 3");
}

static void segment_headers_are_checked(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < sizeof w->c.header; i++) {
        craft_begin(&w->c, 1, 1);
        craft_frame(&w->c, 1, 1, 0);
        w->c.bytes[i] ^= 0x10;
        put(w);
        damaged(w, "wal-0000000000000001.log: damaged at offset 0:");
    }
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 1, 0);
    craft_write(&w->c, w->io, DIR, 1);
    craft_write(&w->c, w->io, DIR, 2);
    damaged(w, "wal-0000000000000002.log: damaged at offset 0: the header is another segment's");
    w->io->unlink(w->io->ctx, DIR "/wal-0000000000000002.log");
    healthy(w, 1, 1);
    int fd = w->io->open(w->io->ctx, DIR "/wal-0000000000000001.log", O_RDWR, 0);
    w->io->ftruncate(w->io->ctx, fd, CRAFT_BYTES - WAL_SECTOR);
    damaged(w, "has 61440 of 65536 bytes");
    w->io->ftruncate(w->io->ctx, fd, sizeof(struct wal_segment_header) - 1);
    damaged(w, "shorter than a segment header");
    w->io->close(w->io->ctx, fd);
}

static void header_fields_have_ranges(void **state)
{
    struct world *w = *state;
    for (int field = 0; field < 7; field++) {
        craft_begin(&w->c, 1, 1);
        struct wal_segment_header *h = &w->c.header;
        switch (field) {
        case 0:
            h->version = 1;
            break;
        case 1:
            h->sector = 512;
            break;
        case 2:
            h->segment_bytes = CRAFT_BYTES + 1;
            break;
        case 3:
            h->segment_bytes = WAL_SECTOR;
            break;
        case 4:
            h->segment_bytes = (uint64_t)1 << 63;
            break;
        case 5:
            h->first_lsn = 0;
            break;
        default:
            h->generation = 0;
            break;
        }
        h->crc = mr_crc32c(0, h, offsetof(struct wal_segment_header, crc));
        memcpy(w->c.bytes, h, sizeof *h);
        put(w);
        damaged(w, field == 0 ? "unknown format version" : "segment header field out of range");
    }
}

static void reseal(struct craft *c, size_t at, const struct wal_frame_header *changed)
{
    struct wal_frame_header h = *changed;
    h.crc = mr_crc32c(0, &h, offsetof(struct wal_frame_header, crc));
    memcpy(c->bytes + at, &h, sizeof h);
}

/* Each field of a frame header, wrong under a right checksum, makes it no frame: the log ends before it. */
static void a_frame_has_to_be_of_its_place(void **state)
{
    struct world *w = *state;
    for (int field = 0; field < 9; field++) {
        craft_begin(&w->c, 1, 1);
        craft_frame(&w->c, 1, 3, 0);
        size_t at = craft_frame(&w->c, 4, 1, 3);
        struct wal_frame_header h;
        memcpy(&h, w->c.bytes + at, sizeof h);
        switch (field) {
        case 0:
            h.magic++;
            break;
        case 1:
            h.header_bytes++;
            break;
        case 2:
            h.zero = 1;
            break;
        case 3:
            h.payload_bytes = CRAFT_BYTES;
            break;
        case 4:
            h.payload_bytes = WAL_MAX_PAYLOAD + 1;
            break;
        case 5:
            h.durable_lsn = 4;
            break;
        case 6:
            h.id[31] ^= 1;
            break;
        case 7:
            h.offset += WAL_SECTOR;
            break;
        default:
            h.first_lsn = UINT64_MAX;
            break;
        }
        reseal(&w->c, at, &h);
        put(w);
        healthy(w, 1, 3);
    }
}

/* Sealed by the log itself, with an LSN that was there before. */
static void an_older_lsn_is_no_continuation(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    craft_frame(&w->c, 2, 1, 1);
    put(w);
    healthy(w, 1, 3);
}

static void a_frame_too_far_on_is_a_hole(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    craft_frame(&w->c, 6, 1, 5);
    put(w);
    damaged(w, "a frame with another LSN where LSN 4 should be, but everything up to LSN 5 was acknowledged");
}

static void entries_have_to_fill_their_frame(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *payload;
        size_t len;
        uint32_t entries;
    } cases[] = {
        {"\5ab", 3, 1},                                      /* longer than what is left */
        {"\1ab", 3, 1},                                      /* bytes left over */
        {"\1a", 2, 2},                                       /* too few entries */
        {"\1a", 2, 0},                                       /* an entry in a mark */
        {"\x81", 1, 1},                                      /* a length that does not end */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, 1}, /* nor fits */
        {"", 0, 1},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        craft_begin(&w->c, 1, 1);
        craft_payload(&w->c, 1, cases[i].entries, 0, (struct mr_str){cases[i].payload, cases[i].len});
        put(w);
        damaged(w, "damaged at offset 4096: entries do not add up to the payload");
    }
}

static void a_full_segment_needs_no_end(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    uint64_t lsn = 1;
    while (w->c.offset < CRAFT_BYTES) {
        craft_payload(&w->c, lsn, 1, lsn - 1, MR_STR("\1x"));
        lsn++;
    }
    put(w);
    check_ok(recover_from(w, 0), &w->err);
    assert_int_equal(w->r.next_lsn, lsn);
    assert_int_equal(w->r.end, CRAFT_BYTES);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(an_empty_directory_is_an_empty_log),
        CASE(other_names_are_not_ours),
        CASE(entries_above_the_last_mark_are_the_tail),
        CASE(a_torn_frame_is_cut),
        CASE(good_frames_behind_a_torn_one_are_never_replayed),
        CASE(a_later_mark_makes_a_bad_frame_damage),
        CASE(the_idle_mark_guards_the_last_frame),
        CASE(a_lost_mark_is_harmless),
        CASE(the_next_segment_is_a_mark_as_well),
        CASE(what_a_recovery_cut_stays_cut),
        CASE(a_missing_segment_is_damage_unless_it_is_the_oldest),
        CASE(segments_have_to_follow_each_other),
        CASE(a_frame_cannot_reach_into_the_next_segment),
        CASE(segment_headers_are_checked),
        CASE(header_fields_have_ranges),
        CASE(a_frame_has_to_be_of_its_place),
        CASE(an_older_lsn_is_no_continuation),
        CASE(a_frame_too_far_on_is_a_hole),
        CASE(entries_have_to_fill_their_frame),
        CASE(a_full_segment_needs_no_end),
    };
    return cmocka_run_group_tests_name("wal/recover", tests, NULL, NULL);
}
