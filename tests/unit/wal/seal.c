/* The log is sealed: what is on the disk says nothing, cannot be altered or moved unnoticed, and no nonce
 * comes twice under a key. */
#include "lib/simdisk.h"
#include "unit/wal/craft.h"

#include "base/hash.h"
#include "base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#define DIR "/wal"

struct world {
    struct simdisk *disk;
    const struct mr_io *io;
    struct craft c;
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
    simdisk_free(((struct world *)*state)->disk);
    return 0;
}

static void put(struct world *w)
{
    craft_write(&w->c, w->io, DIR, w->c.header.sequence);
}

/* Recovery by this keyring refuses in these words, and so does opening, which leaves the disk as it is. */
static void refused(struct world *w, struct seal_keyring *keyring, const char *words)
{
    struct kit_found found = {.first_lsn = 0};
    struct wal_recovery r;
    struct wal *wal;
    w->err = (struct mr_error)MR_ERROR_INIT;
    assert_int_equal(wal_recover(w->io, DIR, keyring, 0, kit_replay, &found, &r, &w->err), MR_ECORRUPT);
    if (strstr(w->err.text, words) == NULL)
        fail_msg("report \"%s\" lacks \"%s\"", w->err.text, words);
    wal_recovery_release(&r);
    struct wal_options o = kit_options(w->io, DIR);
    o.keyring = keyring;
    size_t before = simdisk_changes(w->disk);
    assert_int_equal(wal_open(&o, kit_replay, &found, &wal, NULL), MR_ECORRUPT);
    assert_int_equal(simdisk_changes(w->disk), before);
    kit_found_release(&found);
}

/* Both checksums of the frame as somebody without a key can make them. */
static void checksums(struct craft *c, size_t at)
{
    struct wal_frame_header h;
    memcpy(&h, c->bytes + at, sizeof h);
    h.payload_crc = mr_crc32c(0, c->bytes + at + sizeof h, h.payload_bytes + SEAL_TAG_BYTES);
    h.crc = mr_crc32c(0, &h, offsetof(struct wal_frame_header, crc));
    memcpy(c->bytes + at, &h, sizeof h);
}

#define BROKEN_SEAL "the checksums are right and the seal is not"

/* Each bit of the last frame of a log, header and sealed payload, altered under right checksums. What still
 * is a frame is refused, the unmarked end too: a torn write has wrong checksums. */
static void altered_bits_are_never_a_torn_end(void **state)
{
    struct world *w = *state;
    unsigned broken = 0;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    const struct mr_str payload = MR_STR("\11mill race");
    size_t at = craft_payload(&w->c, 4, 1, 3, payload);
    size_t end = at + WAL_FRAME_HEADER_BYTES + payload.len + SEAL_TAG_BYTES;
    for (size_t byte = at; byte < end; byte++) {
        if (byte - at >= WAL_BOUND_FRAME && byte - at < WAL_FRAME_HEADER_BYTES)
            continue; /* the checksums themselves */
        for (unsigned bit = 0; bit < 8; bit++) {
            unsigned char old[WAL_FRAME_HEADER_BYTES];
            memcpy(old, w->c.bytes + at, sizeof old);
            w->c.bytes[byte] ^= (unsigned char)(1u << bit);
            if (byte - at < 8 || byte - at >= 12) /* not its length: the checksum would be another place's */
                checksums(&w->c, at);
            put(w);
            struct kit_found found = {.first_lsn = 0};
            struct wal_recovery r;
            struct mr_error err = MR_ERROR_INIT;
            int status = wal_recover(w->io, DIR, kit_keyring(), 0, kit_replay, &found, &r, &err);
            if (status == MR_OK) /* no frame any more by its header alone: id, offset, LSNs, sizes */
                assert_int_equal(r.entries, 3);
            else
                assert_non_null(strstr(err.text, BROKEN_SEAL));
            broken += status != MR_OK;
            bool counter = byte - at >= 72 && byte - at < 80;
            if (byte - at >= WAL_FRAME_HEADER_BYTES || counter)
                assert_int_equal(status, MR_ECORRUPT);
            wal_recovery_release(&r);
            kit_found_release(&found);
            w->c.bytes[byte] ^= (unsigned char)(1u << bit);
            memcpy(w->c.bytes + at, old, sizeof old);
        }
    }
    assert_true(broken > 8 * (8 + payload.len + SEAL_TAG_BYTES));
}

/* The segment's own header is bound into each frame: with a right checksum it can be altered and not
 * believed. */
static void an_altered_segment_header_breaks_its_frames(void **state)
{
    struct world *w = *state;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(seal_keyring_rotate(kit_keyring(), SEAL_SCOPE_STORE, &err), &err); /* there is another key */
    for (int field = 0; field < 3; field++) {
        craft_begin(&w->c, 1, 2);
        craft_frame(&w->c, 2, 3, 1);
        struct wal_segment_header h = w->c.header;
        if (field == 0)
            h.generation--;
        else if (field == 1)
            h.segment_bytes -= WAL_SECTOR;
        else
            h.sequence++;
        wal_segment_header_seal(&h);
        memcpy(w->c.bytes, &h, sizeof h);
        craft_write(&w->c, w->io, DIR, h.sequence);
        char name[WAL_NAME_BYTES], path[64];
        wal_segment_name(h.sequence, name);
        snprintf(path, sizeof path, DIR "/%s", name);
        int fd = w->io->open(w->io->ctx, path, O_RDWR, 0);
        w->io->ftruncate(w->io->ctx, fd, (int64_t)h.segment_bytes);
        w->io->close(w->io->ctx, fd);
        refused(w, kit_keyring(), BROKEN_SEAL);
        w->io->unlink(w->io->ctx, path);
    }
}

/* Copies the frame at `from` over the one at `to`, telling it its new place. */
static void move_frame(const struct craft *source, size_t from, struct craft *c, size_t to)
{
    struct wal_frame_header h, old;
    memcpy(&h, source->bytes + from, sizeof h);
    memcpy(&old, c->bytes + to, sizeof old);
    memcpy(c->bytes + to, source->bytes + from, wal_frame_bytes(h.payload_bytes));
    memcpy(h.id, c->header.id, sizeof h.id);
    h.offset = to;
    memcpy(c->bytes + to, &h, sizeof h);
    checksums(c, to);
}

static void a_frame_of_another_segment_is_refused(void **state)
{
    struct world *w = *state;
    static struct craft other;
    craft_begin(&other, 2, 1);
    size_t from = craft_frame(&other, 1, 3, 0);
    craft_begin(&w->c, 1, 1);
    size_t at = craft_frame(&w->c, 1, 3, 0);
    craft_frame(&w->c, 4, 0, 3);
    memcpy(w->c.bytes + at, other.bytes + from, wal_frame_bytes(0)); /* as it is: no frame of this segment */
    put(w);
    refused(w, kit_keyring(), "frame of another segment where LSN 1 should be");
    move_frame(&other, from, &w->c, at);
    put(w);
    refused(w, kit_keyring(), BROKEN_SEAL);
}

static void frames_of_a_segment_do_not_change_places(void **state)
{
    struct world *w = *state;
    craft_begin(&w->c, 1, 1);
    size_t first = craft_payload(&w->c, 1, 1, 0, MR_STR("\5first"));
    size_t second = craft_payload(&w->c, 2, 1, 1, MR_STR("\6second"));
    static struct craft copy;
    copy = w->c;
    move_frame(&copy, second, &w->c, first);
    put(w);
    refused(w, kit_keyring(), BROKEN_SEAL);
    w->c = copy;
    move_frame(&copy, first, &w->c, second);
    put(w);
    refused(w, kit_keyring(), BROKEN_SEAL);
}

static void a_missing_key_is_named(void **state)
{
    struct world *w = *state;
    struct simdisk *disk = simdisk_new();
    struct seal_keyring *keyring;
    struct seal_key key;
    uint32_t generation;
    craft_begin(&w->c, 1, 1);
    craft_frame(&w->c, 1, 3, 0);
    put(w);
    check_ok(seal_keyring_open(simdisk_io(disk), "/", &keyring, &w->err), &w->err);
    refused(w, keyring, "wal-0000000000000001.log: damaged: sealed under generation");
    assert_non_null(strstr(w->err.text, "put back a keyring that has it"));
    /* A keyring that has the generation, of another store: */
    do
        check_ok(seal_keyring_rotate(keyring, SEAL_SCOPE_STORE, &w->err), &w->err);
    while (seal_keyring_get(keyring, SEAL_SCOPE_STORE, w->c.header.generation, &key, NULL) != MR_OK);
    refused(w, keyring, BROKEN_SEAL);
    w->c.header.generation = 1000;
    wal_segment_header_seal(&w->c.header);
    memcpy(w->c.bytes, &w->c.header, sizeof w->c.header);
    put(w);
    refused(w, kit_keyring(), "sealed under generation 1000 of the log's key");
    check_ok(seal_keyring_newest(kit_keyring(), SEAL_SCOPE_STORE, &generation, &key, &w->err), &w->err);
    assert_true(generation < 1000); /* recovery made no key */
    seal_keyring_close(keyring);
    simdisk_free(disk);
}

/* ---- nonces */

#define NONCES 4096

/* Every frame the log hands to the disk: under which id, with which counter, and what. */
static struct {
    const struct mr_io *disk;
    struct {
        unsigned char id[SEAL_ID_BYTES];
        uint64_t counter, hash;
    } seen[NONCES];
    size_t count, frames;
    unsigned renames_to_fail;
    bool same_nonce_other_bytes;
} spy;

static void note_frame(const void *bytes, size_t len)
{
    struct wal_frame_header h;
    memcpy(&h, bytes, sizeof h);
    uint64_t hash = mr_hash64(bytes, len, 1);
    for (size_t i = 0; i < spy.count; i++) {
        if (spy.seen[i].counter != h.counter || memcmp(spy.seen[i].id, h.id, sizeof h.id) != 0)
            continue;
        spy.same_nonce_other_bytes |= spy.seen[i].hash != hash;
        return;
    }
    assert_true(spy.count < NONCES);
    memcpy(spy.seen[spy.count].id, h.id, sizeof h.id);
    spy.seen[spy.count].counter = h.counter;
    spy.seen[spy.count++].hash = hash;
}

/* Frames are written by the log thread alone. Each fifth write ends early; the rest of it is no frame. */
static ssize_t spy_pwrite(void *ctx, int fd, const void *bytes, size_t len, int64_t offset)
{
    uint32_t magic;
    memcpy(&magic, bytes, sizeof magic);
    if (magic == WAL_FRAME_MAGIC) {
        note_frame(bytes, len);
        if (++spy.frames % 5 == 0)
            len = 100;
    }
    return spy.disk->pwrite(ctx, fd, bytes, len, offset);
}

static int spy_rename(void *ctx, const char *from, const char *to)
{
    if (spy.renames_to_fail == 0)
        return spy.disk->rename(ctx, from, to);
    spy.renames_to_fail--;
    return -EIO;
}

static struct mr_io spy_io(struct simdisk *disk)
{
    spy.disk = simdisk_io(disk);
    struct mr_io io = *spy.disk;
    io.pwrite = spy_pwrite;
    io.rename = spy_rename;
    return io;
}

/* Appends entries that no other life has, in frames of some few. */
static void live_a_while(struct wal *wal, uint64_t number)
{
    for (unsigned i = 0; i < 60; i++) {
        int status;
        while ((status = wal_append(wal, kit_entry(number + i), NULL, NULL)) != MR_OK) {
            assert_true(status == MR_EBUSY || status == MR_ENOSPC);
            sched_yield();
        }
        if (i % 3 == 0)
            wal_flush(wal);
    }
    wal_flush(wal);
}

/* Segments; restarts after closing, and after a kill anywhere, so that LSNs, segment numbers and the tail
 * come again with other contents; segments given up because they cannot be named (their first frame is sealed
 * again); writes in two parts. */
static void no_nonce_comes_twice(void **state)
{
    struct world *w = *state;
    struct mr_rng rng = {5};
    memset(&spy, 0, sizeof spy);
    for (unsigned life = 0; life < 40; life++) {
        struct mr_io io = spy_io(w->disk);
        struct wal_options o = kit_options(&io, DIR);
        spy.renames_to_fail = life % 10 == 3; /* the log waits a second after one */
        size_t start = simdisk_changes(w->disk);
        struct wal *wal = kit_open(&o, NULL);
        live_a_while(wal, 1000 * life);
        size_t span = simdisk_changes(w->disk) - start;
        struct simdisk *killed = simdisk_kill(w->disk, start + mr_rng_below(&rng, span + 1), false);
        wal_close(wal);
        struct simdisk *other = life % 4 != 0 ? w->disk : killed;
        w->disk = life % 4 != 0 ? killed : w->disk;
        simdisk_free(other);
    }
    assert_false(spy.same_nonce_other_bytes);
    assert_true(spy.count > 800);
    w->io = simdisk_io(w->disk);
    struct kit_found found = {.first_lsn = 0};
    kit_recover(w->io, DIR, MR_OK, &found, &w->err);
    assert_false(found.gap);
    kit_found_release(&found);
}

/* A rotation reaches the next segment; older ones stay readable. */
static void a_new_key_is_for_new_segments(void **state)
{
    struct world *w = *state;
    struct wal_options o = kit_options(w->io, DIR);
    struct seal_key key;
    uint32_t first, second;
    check_ok(seal_keyring_newest(o.keyring, SEAL_SCOPE_STORE, &first, &key, &w->err), &w->err);
    struct wal *wal = kit_open(&o, NULL);
    kit_append(wal, 1, NULL);
    wal_flush(wal);
    check_ok(seal_keyring_rotate(o.keyring, SEAL_SCOPE_STORE, &w->err), &w->err);
    check_ok(seal_keyring_newest(o.keyring, SEAL_SCOPE_STORE, &second, &key, &w->err), &w->err);
    assert_int_equal(second, first + 1);
    for (uint64_t n = 2; n <= 300; n++)
        kit_append(wal, n, NULL);
    wal_close(wal);
    struct wal_list list;
    check_ok(wal_list_read(w->io, DIR, &list, &w->err), &w->err);
    assert_true(list.count > 1);
    for (size_t i = 0; i < list.count; i++) {
        struct wal_reader r;
        check_ok(wal_reader_open(&r, w->io, DIR, o.keyring, list.sequences[i], &w->err), &w->err);
        assert_int_equal(r.header.generation, i == 0 ? first : second);
        wal_reader_close(&r);
    }
    wal_list_release(&list);
    kit_expect(&o, 1, 300);
}

/* ---- what the disk shows */

#define CANARY "canary-in-the-mill-race"

struct search {
    const struct mr_io *io;
    size_t files, bytes, found;
};

static int search_file(void *arg, const char *name)
{
    struct search *s = arg;
    char path[256];
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    snprintf(path, sizeof path, DIR "/%s", name);
    check_ok(mr_io_read_file(s->io, path, 1 << 20, &bytes, &err), &err);
    s->files++;
    s->bytes += bytes.len;
    s->found += memmem(bytes.ptr, bytes.len, CANARY, sizeof CANARY - 1) != NULL;
    mr_buf_release(&bytes);
    return 0;
}

static void the_disk_does_not_show_what_was_written(void **state)
{
    struct world *w = *state;
    struct wal_options o = kit_options(w->io, DIR);
    struct wal *wal = kit_open(&o, NULL);
    for (int i = 0; i < 400; i++) {
        while (wal_append(wal, MR_STR(CANARY CANARY CANARY), NULL, NULL) == MR_EBUSY)
            sched_yield();
        if (i % 7 == 0)
            wal_flush(wal);
    }
    struct search s = {.io = w->io};
    wal_flush(wal);
    assert_int_equal(w->io->list(w->io->ctx, DIR, search_file, &s), 0); /* the ready segment as well */
    wal_close(wal);
    assert_int_equal(w->io->list(w->io->ctx, DIR, search_file, &s), 0);
    assert_true(s.files > 4 && s.bytes > 100 * WAL_SECTOR);
    assert_int_equal(s.found, 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(altered_bits_are_never_a_torn_end),
        CASE(an_altered_segment_header_breaks_its_frames),
        CASE(a_frame_of_another_segment_is_refused),
        CASE(frames_of_a_segment_do_not_change_places),
        CASE(a_missing_key_is_named),
        CASE(no_nonce_comes_twice),
        CASE(a_new_key_is_for_new_segments),
        CASE(the_disk_does_not_show_what_was_written),
    };
    return cmocka_run_group_tests_name("wal/seal", tests, NULL, NULL);
}
