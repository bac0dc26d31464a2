/* The bytes: a second decoder agrees with ours, and a log of each format version opens. */
#include "lib/dir.h"
#include "unit/wal/kit.h"

#include "base/rand.h"
#include "base/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FROZEN MR_SOURCE_DIR "/tests/golden/wal-v2" /* wal, keys, dump */
#define DECODER MR_SOURCE_DIR "/tests/unit/wal/decode.py"

static struct seal_keyring *open_ring(const char *keys)
{
    struct seal_keyring *ring;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(seal_keyring_open(&mr_io_posix, keys, &ring, &err), &err);
    return ring;
}

/* What the decoder prints for a directory, entry by entry, has to be what recovery finds. */
static void decoders_agree(const char *keys, const char *dir)
{
    char command[1024];
    struct seal_keyring *ring = open_ring(keys);
    /* Debian's, which has the cryptography of tools/setup/packages-test.txt, whatever comes first in PATH */
    snprintf(command, sizeof command, "/usr/bin/python3 " DECODER " %s %s", keys, dir);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    struct kit_found ours = {.first_lsn = 0};
    struct wal_recovery r;
    struct mr_error err = MR_ERROR_INIT;
    int status = wal_recover(&mr_io_posix, dir, ring, 0, kit_replay, &ours, &r, &err);
    size_t theirs = 0;
    bool ended = false;
    static char line[64 << 10], bytes[32 << 10];
    while (fgets(line, sizeof line, out) != NULL) {
        uint64_t lsn, durable;
        int at = 0;
        struct mr_str text = mr_str_trim((struct mr_str){line, strcspn(line, "\n")});
        assert_false(ended);
        if (sscanf(line, "entry %" SCNu64 "%n", &lsn, &at) == 1) {
            struct mr_str hex = mr_str_trim(mr_str_slice(text, (size_t)at, text.len));
            assert_int_equal(status, MR_OK);
            assert_true(theirs < ours.count);
            assert_int_equal(lsn, ours.first_lsn + theirs);
            assert_true(mr_hex_decode(hex, bytes));
            assert_int_equal(kit_hash((struct mr_str){bytes, hex.len / 2}), ours.hashes[theirs++]);
        } else if (sscanf(line, "ok %" SCNu64 " %" SCNu64, &lsn, &durable) == 2) {
            assert_int_equal(status, MR_OK);
            assert_int_equal(lsn, r.next_lsn);
            assert_int_equal(durable, r.durable_lsn);
            ended = true;
        } else {
            assert_memory_equal(line, "damaged ", 8);
            if (status != MR_ECORRUPT)
                fail_msg("decoder: %s ours: %s", line, mr_status_name((enum mr_status)status));
            ended = true;
        }
    }
    assert_int_equal(pclose(out), 0);
    assert_true(ended);
    if (status == MR_OK)
        assert_int_equal(theirs, ours.count);
    seal_keyring_close(ring);
    wal_recovery_release(&r);
    kit_found_release(&ours);
}

/* One byte somewhere in one of the files becomes another. */
static void spoil(const char *dir, struct mr_rng *rng)
{
    struct wal_list list;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(wal_list_read(&mr_io_posix, dir, &list, &err), &err);
    char name[WAL_NAME_BYTES], path[512];
    wal_segment_name(list.sequences[mr_rng_below(rng, list.count)], name);
    wal_list_release(&list);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    unsigned char byte;
    /* Near the beginning of a sector, where the headers are. */
    off_t at = (off_t)(mr_rng_below(rng, 4) * WAL_SECTOR + mr_rng_below(rng, 100));
    if (pread(fd, &byte, 1, at) == 1) {
        byte ^= (unsigned char)(1 + mr_rng_below(rng, 255));
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}

static void a_second_decoder_reads_the_same(void **state)
{
    MR_UNUSED(state);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct mr_rng rng = {seed};
        char *dir = dir_make(), *keys = dir_make();
        struct wal_options o = kit_options(&mr_io_posix, dir);
        o.segment_bytes = 32 << 10;
        o.keyring = open_ring(keys);
        uint64_t n = 0;
        for (uint64_t runs = 1 + mr_rng_below(&rng, 3); runs > 0; runs--) {
            struct wal *wal = kit_open(&o, NULL);
            for (uint64_t k = mr_rng_below(&rng, 60); k > 0; k--) {
                kit_append(wal, ++n, NULL);
                if (mr_rng_below(&rng, 5) == 0)
                    wal_flush(wal);
            }
            struct mr_error err = MR_ERROR_INIT;
            check_ok(wal_trim(wal, n / 3, &err), &err);
            wal_close(wal);
            check_ok(seal_keyring_rotate(o.keyring, SEAL_SCOPE_STORE, &err), &err);
        }
        seal_keyring_close(o.keyring);
        decoders_agree(keys, dir);
        for (int i = 0; i < 5 && n > 0; i++) {
            spoil(dir, &rng);
            decoders_agree(keys, dir);
        }
        dir_remove(dir);
        dir_remove(keys);
    }
}

static const char *frozen_entry(uint64_t lsn, size_t *len)
{
    static const char *const short_ones[] = {"river", NULL, "", "mill", "race", "wheel"};
    static char w[4100];
    if (lsn == 2) {
        memset(w, 'w', sizeof w);
        *len = sizeof w;
        return w;
    }
    *len = strlen(short_ones[lsn - 1]);
    return short_ones[lsn - 1];
}

static int check_frozen(void *ctx, uint64_t lsn, struct mr_str entry, struct mr_error *err)
{
    MR_UNUSED(err);
    size_t len;
    assert_in_range(lsn, 1, 6);
    const char *want = frozen_entry(lsn, &len);
    assert_int_equal(entry.len, len);
    assert_memory_equal(entry.ptr, want, len);
    ++*(unsigned *)ctx;
    return MR_OK;
}

/* A copy of the frozen directory, its master key as private as it was. */
static char *thaw(void)
{
    char command[1024], *dir = dir_make();
    snprintf(command, sizeof command, "cp -r " FROZEN "/* %s && chmod 600 %s/keys/*", dir, dir);
    assert_int_equal(system(command), 0);
    return dir;
}

static void version_2_opens(void **state)
{
    MR_UNUSED(state);
    char *dir = thaw(), log[512], keys[512];
    snprintf(log, sizeof log, "%s/wal", dir);
    snprintf(keys, sizeof keys, "%s/keys", dir);
    decoders_agree(keys, log);
    struct wal_options o = kit_options(&mr_io_posix, log);
    struct wal *wal;
    struct mr_error err = MR_ERROR_INIT;
    unsigned found = 0;
    o.keyring = open_ring(keys);
    check_ok(wal_open(&o, check_frozen, &found, &wal, &err), &err);
    assert_int_equal(found, 6);
    uint64_t lsn;
    assert_int_equal(wal_append(wal, MR_STR("new"), NULL, &lsn), MR_OK);
    assert_int_equal(lsn, 7);
    wal_close(wal);
    seal_keyring_close(o.keyring);
    decoders_agree(keys, log);
    dir_remove(dir);
}

static void the_dump_of_version_2_is_as_it_was(void **state)
{
    MR_UNUSED(state);
    char *got = NULL, *dir = thaw(), log[512], keys[512];
    size_t len;
    struct mr_error err = MR_ERROR_INIT;
    snprintf(log, sizeof log, "%s/wal", dir);
    snprintf(keys, sizeof keys, "%s/keys", dir);
    struct seal_keyring *ring = open_ring(keys);
    FILE *out = open_memstream(&got, &len);
    check_ok(wal_dump(&mr_io_posix, log, ring, true, out, &err), &err);
    fclose(out);
    seal_keyring_close(ring);
    struct mr_buf want = MR_BUF_INIT;
    check_ok(mr_io_read_file(&mr_io_posix, FROZEN "/dump", 1 << 20, &want, &err), &err);
    mr_buf_char(&want, '\0');
    assert_string_equal(got, want.ptr);
    mr_buf_release(&want);
    free(got);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_decoder_reads_the_same),
        cmocka_unit_test(version_2_opens),
        cmocka_unit_test(the_dump_of_version_2_is_as_it_was),
    };
    return cmocka_run_group_tests_name("wal/format", tests, NULL, NULL);
}
