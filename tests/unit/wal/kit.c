#include "unit/wal/kit.h"

#include "base/hash.h"
#include "base/rand.h"
#include "lib/simdisk.h"

#include <sched.h>

#define ENTRY_MAX 3000u

struct mr_str kit_entry(uint64_t n)
{
    static _Thread_local unsigned char bytes[ENTRY_MAX + 8];
    struct mr_rng rng = {n};
    /* Most are short, some cross sectors, a few are empty. */
    uint64_t kind = mr_rng_below(&rng, 10);
    size_t len = kind == 0 ? 0 : mr_rng_below(&rng, kind < 8 ? 200 : ENTRY_MAX);
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = mr_rng_next(&rng);
        memcpy(bytes + i, &word, 8);
    }
    return (struct mr_str){(const char *)bytes, len};
}

uint64_t kit_hash(struct mr_str entry)
{
    return mr_hash64(entry.ptr, entry.len, entry.len);
}

int kit_replay(void *ctx, uint64_t lsn, struct mr_str entry, struct mr_error *err)
{
    struct kit_found *f = ctx;
    if (mr_grow((void **)&f->hashes, &f->cap, f->count + 1, sizeof *f->hashes) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    if (f->count == 0)
        f->first_lsn = lsn;
    if (lsn != f->first_lsn + f->count)
        f->gap = true;
    f->hashes[f->count++] = kit_hash(entry);
    return MR_OK;
}

void kit_found_release(struct kit_found *f)
{
    mr_free(f->hashes);
    *f = (struct kit_found){.first_lsn = 0};
}

bool kit_found_is(const struct kit_found *f, uint64_t lsn, uint64_t n)
{
    return lsn >= f->first_lsn && lsn - f->first_lsn < f->count &&
           f->hashes[lsn - f->first_lsn] == kit_hash(kit_entry(n));
}

struct seal_keyring *kit_keyring(void)
{
    static struct seal_keyring *keyring;
    static struct simdisk *disk;
    struct mr_error err = MR_ERROR_INIT;
    if (keyring == NULL) {
        disk = simdisk_new();
        check_ok(seal_keyring_open(simdisk_io(disk), "/", &keyring, &err), &err);
    }
    return keyring;
}

struct wal_options kit_options(const struct mr_io *io, const char *dir)
{
    return (struct wal_options){
        .io = io,
        .clock = &mr_clock_system,
        .keyring = kit_keyring(),
        .dir = dir,
        .segment_bytes = 64 << 10,
        .max_frame_bytes = 16 << 10,
        .max_queue_bytes = 64 << 10,
        .idle_mark_ms = 1000 * 1000 * 1000,
    };
}

struct wal *kit_open(const struct wal_options *options, struct kit_found *found)
{
    struct kit_found dropped = {.first_lsn = 0};
    struct mr_error err = MR_ERROR_INIT;
    struct wal *wal;
    int status = wal_open(options, kit_replay, found != NULL ? found : &dropped, &wal, &err);
    kit_found_release(&dropped);
    check_ok(status, &err);
    return wal;
}

uint64_t kit_append(struct wal *wal, uint64_t n, struct wal_waiter *waiter)
{
    for (;;) {
        uint64_t lsn = 0;
        int status = wal_append(wal, kit_entry(n), waiter, &lsn);
        if (status == MR_OK)
            return lsn;
        assert_int_equal(status, MR_EBUSY);
        sched_yield();
    }
}

void kit_expect(const struct wal_options *options, uint64_t first, uint64_t last)
{
    struct kit_found found = {.first_lsn = 0};
    struct wal *wal = kit_open(options, &found);
    assert_false(found.gap);
    assert_int_equal(found.count, last - first + 1);
    if (found.count != 0)
        assert_int_equal(found.first_lsn, first);
    for (uint64_t lsn = first; lsn <= last; lsn++)
        assert_true(kit_found_is(&found, lsn, lsn));
    assert_int_equal(wal_last_lsn(wal), last);
    assert_int_equal(wal_durable_lsn(wal), last);
    wal_close(wal);
    kit_found_release(&found);
}

void kit_recover(const struct mr_io *io, const char *dir, int want, struct kit_found *found,
                 struct mr_error *err)
{
    struct wal_recovery r;
    int status = wal_recover(io, dir, kit_keyring(), 0, kit_replay, found, &r, err);
    wal_recovery_release(&r);
    if (status != want)
        fail_msg("recovery says %s (%s), want %s", mr_status_name((enum mr_status)status), err->text,
                 mr_status_name((enum mr_status)want));
}

static int count_name(void *arg, const char *name)
{
    MR_UNUSED(name);
    ++*(size_t *)arg;
    return 0;
}

size_t kit_files(const struct mr_io *io, const char *dir)
{
    size_t n = 0;
    assert_int_equal(io->list(io->ctx, dir, count_name, &n), 0);
    return n;
}
