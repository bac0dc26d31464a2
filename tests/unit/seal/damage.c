/* tests/unit/seal/damage.c - keyrings that were damaged, altered or mixed up: refused, and told apart. */
#include "lib/check.h"
#include "lib/simdisk.h"

#include "base/hash.h"
#include "seal/format.h"

#include <fcntl.h>

#define LIMIT (1u << 20)

struct world {
    struct simdisk *disk;
    const struct mr_io *io;
    struct mr_buf file; /* a good keyring: scopes 1, 2 (two generations), 9 */
};

static struct mr_buf slurp(const struct mr_io *io, const char *path)
{
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_read_file(io, path, LIMIT, &bytes, &err), &err);
    return bytes;
}

static void spill(const struct mr_io *io, const char *name, const void *bytes, size_t len)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(io, "/", name, (struct mr_str){bytes, len}, 0600, &err), &err);
}

static struct seal_keyring *fill(const struct mr_io *io)
{
    static const uint64_t scopes[] = {9, 2, 1};
    struct seal_keyring *ring;
    struct seal_key key;
    uint32_t generation;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(seal_keyring_open(io, "/", &ring, &err), &err);
    for (size_t i = 0; i < MR_ARRAY_LEN(scopes); i++)
        check_ok(seal_keyring_newest(ring, scopes[i], &generation, &key, &err), &err);
    check_ok(seal_keyring_rotate(ring, 2, &err), &err);
    return ring;
}

static int set_up(void **state)
{
    static struct world w;
    w.disk = simdisk_new();
    w.io = simdisk_io(w.disk);
    seal_keyring_close(fill(w.io));
    w.file = slurp(w.io, "/keyring");
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    mr_buf_release(&w->file);
    simdisk_free(w->disk);
    return 0;
}

/* Opening refuses with that status, in these words, and changes nothing. */
static void refused(const struct world *w, int want, const char *words)
{
    struct seal_keyring *ring;
    struct mr_error err = MR_ERROR_INIT;
    size_t before = simdisk_changes(w->disk);
    int status = seal_keyring_open(w->io, "/", &ring, &err);
    if (status != want || strstr(err.text, words) == NULL)
        fail_msg("status %d, report \"%s\" lacks \"%s\"", status, err.text, words);
    assert_null(ring);
    assert_true(simdisk_changes(w->disk) - before <= 1); /* at most a sync of the directory */
}

static void with_file(const struct world *w, const void *bytes, size_t len, const char *words)
{
    spill(w->io, "keyring", bytes, len);
    refused(w, MR_ECORRUPT, words);
}

static void test_every_flipped_bit_is_noticed(void **state)
{
    struct world *w = *state;
    unsigned char *bytes = (unsigned char *)w->file.ptr;
    for (size_t bit = 0; bit < 8 * w->file.len; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        with_file(w, bytes, w->file.len, "/keyring: damaged: ");
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

static void test_every_other_length_is_noticed(void **state)
{
    struct world *w = *state;
    char longer[2048] = {0};
    memcpy(longer, w->file.ptr, w->file.len);
    for (size_t len = 0; len < sizeof longer; len++)
        if (len != w->file.len)
            with_file(w, longer, len, "/keyring: damaged: ");
}

/* Under a right checksum, as only somebody who means to would leave it: each bit is told as what it is. */
static void test_every_altered_bit_is_noticed(void **state)
{
    struct world *w = *state;
    unsigned char *bytes = (unsigned char *)w->file.ptr;
    size_t len = w->file.len, body = len - sizeof(uint32_t);
    for (size_t bit = 0; bit < 8 * body; bit++) {
        size_t at = bit / 8;
        bytes[at] ^= (unsigned char)(1u << bit % 8);
        uint32_t crc = mr_crc32c(0, bytes, body);
        memcpy(bytes + body, &crc, sizeof crc);
        bool in_keys = at >= sizeof(struct keyring_header) && at < len - sizeof(struct keyring_end);
        with_file(w, bytes, len,
                  at < sizeof(struct keyring_header) ? "/keyring: damaged: " : "/keyring: altered: ");
        size_t of_key = in_keys ? (at - sizeof(struct keyring_header)) % sizeof(struct keyring_key) : 0;
        if (in_keys && of_key >= offsetof(struct keyring_key, nonce))
            with_file(w, bytes, len, "does not unwrap (1 of 4 do not)");
        if (!in_keys && at >= sizeof(struct keyring_header))
            with_file(w, bytes, len, "keys were taken out or put in without the master key");
        bytes[at] ^= (unsigned char)(1u << bit % 8);
    }
}

/* The end of the file made anew without the master key: right length, right checksum. */
static void close_file(const struct world *w, char *bytes, size_t keys)
{
    struct keyring_header h;
    struct keyring_end end;
    memcpy(&h, bytes, sizeof h);
    h.keys = (uint32_t)keys;
    memcpy(bytes, &h, sizeof h);
    memcpy(&end, w->file.ptr + w->file.len - sizeof end, sizeof end);
    size_t at = KEYRING_FILE_BYTES(keys) - sizeof end;
    memcpy(bytes + at, &end, sizeof end);
    end.crc = mr_crc32c(0, bytes, at + offsetof(struct keyring_end, crc));
    memcpy(bytes + at, &end, sizeof end);
}

static void test_keys_cannot_be_taken_out_or_moved(void **state)
{
    struct world *w = *state;
    enum { KEYS = 4, HEADER = sizeof(struct keyring_header), KEY = sizeof(struct keyring_key) };
    for (size_t out = 0; out < KEYS; out++) {
        char bytes[KEYRING_FILE_BYTES(KEYS)];
        memcpy(bytes, w->file.ptr, sizeof bytes);
        memmove(bytes + HEADER + out * KEY, bytes + HEADER + (out + 1) * KEY, (KEYS - 1 - out) * KEY);
        close_file(w, bytes, KEYS - 1);
        with_file(w, bytes, KEYRING_FILE_BYTES(KEYS - 1), "keys were taken out");
    }
    char bytes[KEYRING_FILE_BYTES(KEYS + 1)];
    memcpy(bytes, w->file.ptr, w->file.len);
    memcpy(bytes + HEADER + KEYS * KEY, bytes + HEADER + (KEYS - 1) * KEY, KEY); /* the last one twice */
    close_file(w, bytes, KEYS + 1);
    with_file(w, bytes, sizeof bytes, "its keys are not in order");
    for (size_t i = 0; i < 4; i++) { /* one key in the place of its neighbour, under the neighbour's name */
        char swapped[KEYRING_FILE_BYTES(KEYS)];
        memcpy(swapped, w->file.ptr, sizeof swapped);
        size_t to = i % KEYS, from = (i + 1) % KEYS, named = offsetof(struct keyring_key, nonce);
        memcpy(swapped + HEADER + to * KEY + named, w->file.ptr + HEADER + from * KEY + named, KEY - named);
        close_file(w, swapped, KEYS);
        with_file(w, swapped, sizeof swapped, "does not unwrap (1 of 4 do not)");
    }
    close_file(w, bytes, 0);
    with_file(w, bytes, KEYRING_FILE_BYTES(0), "wrong master key");
}

static void test_another_master_key_is_told_from_damage(void **state)
{
    struct world *w = *state;
    unsigned char master[SEAL_KEY_BYTES] = {1, 2, 3};
    spill(w->io, "master.key", master, sizeof master);
    refused(w, MR_ECORRUPT, "/keyring: wrong master key: none of its keys unwraps");
    for (size_t len = 0; len < 100; len++) {
        char bytes[100] = {0};
        spill(w->io, "master.key", bytes, len);
        refused(w, MR_ECORRUPT, len == SEAL_KEY_BYTES ? "wrong master key" : "/master.key: damaged: has ");
    }
    w->io->unlink(w->io->ctx, "/master.key");
    refused(w, MR_ECORRUPT, "/keyring is there and //master.key is not");
}

/* A master key brought along, and nothing yet wrapped by it. */
static void test_a_master_key_alone_gets_an_empty_keyring(void **state)
{
    struct world *w = *state;
    struct seal_keyring *ring;
    struct seal_key key;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_buf before = slurp(w->io, "/master.key");
    w->io->unlink(w->io->ctx, "/keyring");
    check_ok(seal_keyring_open(w->io, "/", &ring, &err), &err);
    assert_int_equal(seal_keyring_get(ring, 2, 1, &key, NULL), MR_ENOENT);
    seal_keyring_close(ring);
    struct mr_buf after = slurp(w->io, "/master.key"), file = slurp(w->io, "/keyring");
    assert_true(mr_str_eq(mr_buf_view(&before), mr_buf_view(&after)));
    assert_int_equal(file.len, KEYRING_FILE_BYTES(0));
    mr_buf_release(&before);
    mr_buf_release(&after);
    mr_buf_release(&file);
}

/* A file too large to be one is not read into memory. */
static void test_a_huge_file_is_refused(void **state)
{
    struct world *w = *state;
    int fd = w->io->open(w->io->ctx, "/keyring", O_RDWR, 0);
    assert_true(fd >= 0);
    assert_int_equal(w->io->ftruncate(w->io->ctx, fd, KEYRING_LIMIT + 1), 0);
    w->io->close(w->io->ctx, fd);
    refused(w, MR_ECORRUPT, "is larger than");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_every_flipped_bit_is_noticed),
        CASE(test_every_other_length_is_noticed),
        CASE(test_every_altered_bit_is_noticed),
        CASE(test_keys_cannot_be_taken_out_or_moved),
        CASE(test_another_master_key_is_told_from_damage),
        CASE(test_a_master_key_alone_gets_an_empty_keyring),
        CASE(test_a_huge_file_is_refused),
    };
    return cmocka_run_group_tests_name("seal/damage", tests, NULL, NULL);
}
