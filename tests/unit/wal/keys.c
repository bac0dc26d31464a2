/* Log and keyring on one disk that loses power: no frame is ever there without its key. */
#include "lib/simdisk.h"
#include "unit/wal/kit.h"

#define ENTRIES 60u

/* From the first start on: the moment at which each entry was known to be durable. */
struct run {
    struct simdisk *disk;
    size_t made; /* the directories are there */
    size_t acked_at[ENTRIES + 1];
};

static void live(struct run *r)
{
    const struct mr_io *io = simdisk_io(r->disk);
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(io->mkdir(io->ctx, "/keys", 0700), 0);
    assert_int_equal(io->mkdir(io->ctx, "/wal", 0700), 0);
    check_ok(mr_io_sync_dir(io, "/", &err), &err);
    r->made = simdisk_changes(r->disk);
    for (uint64_t n = 1; n <= ENTRIES;) { /* three starts */
        struct wal_options o = kit_options(io, "/wal");
        check_ok(seal_keyring_open(io, "/keys", &o.keyring, &err), &err);
        struct wal *wal = kit_open(&o, NULL);
        for (uint64_t stop = n + ENTRIES / 3; n < stop; n++) {
            kit_append(wal, n, NULL);
            wal_flush(wal);
            r->acked_at[n] = simdisk_changes(r->disk);
            if (n % 7 == 0)
                check_ok(seal_keyring_rotate(o.keyring, SEAL_SCOPE_STORE, &err), &err);
        }
        wal_close(wal);
        seal_keyring_close(o.keyring);
    }
}

/* All that was acknowledged at the moment is read back, by the keys that are on the disk. */
static void judge(const struct run *r, struct simdisk *state, size_t moment, const char *kept)
{
    struct kit_found found = {.first_lsn = 0};
    struct wal_recovery recovery;
    struct seal_keyring *keyring;
    struct mr_error err = MR_ERROR_INIT;
    uint64_t acked = 0;
    while (acked < ENTRIES && r->acked_at[acked + 1] <= moment)
        acked++;
    if (seal_keyring_open(simdisk_io(state), "/keys", &keyring, &err) != MR_OK ||
        wal_recover(simdisk_io(state), "/wal", keyring, 1, kit_replay, &found, &recovery, &err) != MR_OK)
        fail_msg("moment %zu, kept %s: %s", moment, kept, err.text);
    assert_true(found.count >= acked && !found.gap);
    for (uint64_t lsn = 1; lsn <= found.count; lsn++)
        assert_true(kit_found_is(&found, lsn, lsn));
    wal_recovery_release(&recovery);
    kit_found_release(&found);
    seal_keyring_close(keyring);
}

static void no_frame_is_there_without_its_key(void **state)
{
    MR_UNUSED(state);
    struct run r = {.disk = simdisk_new()};
    live(&r);
    size_t end = simdisk_changes(r.disk);
    for (size_t at = r.made; at <= end; at++) {
        for (int keep = 0; keep < SIMDISK_KEEPS; keep++) {
            struct simdisk *cut = simdisk_power_cut(r.disk, at, (enum simdisk_keep)keep, at);
            judge(&r, cut, at, simdisk_keep_name((enum simdisk_keep)keep));
            simdisk_free(cut);
        }
    }
    print_message("%zu moments\n", end - r.made + 1);
    simdisk_free(r.disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_frame_is_there_without_its_key),
    };
    return cmocka_run_group_tests_name("wal/keys", tests, NULL, NULL);
}
