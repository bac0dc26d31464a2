/* Manifests in a directory: generations, falling back, what clean removes and what it leaves. */
#include "lib/simdisk.h"
#include "unit/magstore/manifest_kit.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

#define DIR "/store"

struct world {
    struct simdisk *disk;
    const struct mr_io *io;
    struct magstore_manifest m;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->disk = simdisk_new();
    w->io = simdisk_io(w->disk);
    w->m = (struct magstore_manifest)MAGSTORE_MANIFEST_INIT;
    assert_int_equal(w->io->mkdir(w->io->ctx, DIR, 0700), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    magstore_manifest_release(&w->m);
    simdisk_free(w->disk);
    free(w);
    return 0;
}

static void commit(struct world *w)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(magstore_manifest_commit(w->io, DIR, &w->m, &err), &err);
}

static struct magstore_manifest loaded(struct world *w)
{
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(magstore_manifest_load(w->io, DIR, &m, &err), &err);
    return m;
}

static size_t clean(struct world *w, uint64_t below)
{
    size_t removed = 99;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(magstore_manifest_clean(w->io, DIR, below, &removed, &err), &err);
    return removed;
}

/* Flips the last byte of manifest-<generation>. */
static void damage(struct world *w, uint64_t generation)
{
    char path[64];
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    snprintf(path, sizeof path, DIR "/manifest-%016llx", (unsigned long long)generation);
    check_ok(mr_io_read_file(w->io, path, 1 << 20, &bytes, &err), &err);
    bytes.ptr[bytes.len - 1] ^= 1;
    manifest_kit_put(w->io, DIR, path + strlen(DIR "/"), mr_buf_view(&bytes));
    mr_buf_release(&bytes);
}

static void an_empty_directory_is_a_fresh_state(void **state)
{
    struct world *w = *state;
    struct magstore_manifest m = loaded(w);
    assert_true(m.generation == 0 && m.highest == 0 && !m.fell_back && m.wal_low == 0 && m.next_file == 1 &&
                m.nfiles == 0);
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(magstore_manifest_load(w->io, "/elsewhere", &m, &err), MR_ENOENT);
}

static void the_newest_two_are_kept(void **state)
{
    struct world *w = *state;
    for (uint64_t i = 1; i <= 5; i++) {
        manifest_kit_add(&w->m, i, 1);
        w->m.wal_low = i * 10;
        commit(w);
        assert_true(w->m.generation == i && w->m.highest == i);
        struct magstore_manifest m = loaded(w);
        assert_true(manifest_kit_same(&m, &w->m) && m.highest == i && !m.fell_back);
        magstore_manifest_release(&m);
        assert_int_equal(manifest_kit_count(w->io, DIR, ""), i == 1 ? 1 : 2);
    }
    assert_true(manifest_kit_is_there(w->io, DIR, "manifest-0000000000000004"));
    assert_true(manifest_kit_is_there(w->io, DIR, "manifest-0000000000000005"));
}

static void a_state_that_does_not_fit_is_not_written(void **state)
{
    struct world *w = *state;
    manifest_kit_add(&w->m, 1, 3);
    commit(w);
    w->m.next_file = 3;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(magstore_manifest_commit(w->io, DIR, &w->m, &err), MR_EINVAL);
    assert_true(w->m.generation == 1 && w->m.highest == 1);
    assert_int_equal(manifest_kit_count(w->io, DIR, ""), 1);
}

static void damage_falls_back_to_the_older(void **state)
{
    struct world *w = *state;
    manifest_kit_add(&w->m, 1, 2);
    w->m.wal_low = 10;
    commit(w);
    struct magstore_manifest older = loaded(w);
    manifest_kit_add(&w->m, 3, 4);
    w->m.wal_low = 20;
    commit(w);
    damage(w, 2);
    struct magstore_manifest m = loaded(w);
    assert_true(m.fell_back && m.generation == 1 && m.highest == 2 && m.wal_low == 10);
    assert_true(manifest_kit_same(&m, &older));
    /* The next one gets a new name; the damaged one goes when the one it came from does. */
    magstore_manifest_release(&w->m);
    w->m = m;
    commit(w);
    assert_true(w->m.generation == 3 && !w->m.fell_back);
    assert_int_equal(manifest_kit_count(w->io, DIR, "manifest-"), 3);
    m = loaded(w);
    assert_true(m.generation == 3 && !m.fell_back);
    magstore_manifest_release(&m);
    commit(w);
    assert_int_equal(manifest_kit_count(w->io, DIR, "manifest-"), 2);
    magstore_manifest_release(&older);
}

static void a_file_cut_short_is_damage(void **state)
{
    struct world *w = *state;
    commit(w);
    manifest_kit_add(&w->m, 1, 1);
    commit(w);
    struct mr_buf bytes = MR_BUF_INIT;
    assert_int_equal(magstore_manifest_encode(&w->m, &bytes), MR_OK);
    for (size_t len = 0; len < bytes.len; len++) {
        manifest_kit_put(w->io, DIR, "manifest-0000000000000002", (struct mr_str){bytes.ptr, len});
        struct magstore_manifest m = loaded(w);
        assert_true(m.fell_back && m.generation == 1);
        magstore_manifest_release(&m);
    }
    mr_buf_release(&bytes);
}

static void without_a_valid_one_the_start_stops(void **state)
{
    struct world *w = *state;
    commit(w);
    commit(w);
    damage(w, 1);
    damage(w, 2);
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(magstore_manifest_load(w->io, DIR, &m, &err), MR_ECORRUPT);
    assert_non_null(strstr(err.text, "manifest-0000000000000002")); /* the newest is the one to tell of */
}

/* An intact copy of generation 2 with `version` in its head, as manifest-...2. */
static void put_version(struct world *w, unsigned char version)
{
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_buf bytes = MR_BUF_INIT;
    m.generation = 2;
    assert_int_equal(magstore_manifest_encode(&m, &bytes), MR_OK);
    bytes.ptr[8] = (char)version;
    uint32_t crc = mr_crc32c(0, bytes.ptr, bytes.len - 4);
    memcpy(bytes.ptr + bytes.len - 4, &crc, 4);
    manifest_kit_put(w->io, DIR, "manifest-0000000000000002", mr_buf_view(&bytes));
    mr_buf_release(&bytes);
}

/* Falling back would take the state of before an upgrade for the present one. */
static void a_later_version_is_no_damage(void **state)
{
    struct world *w = *state;
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    size_t removed;
    commit(w);
    put_version(w, 2);
    manifest_kit_create(w->io, DIR, 1);
    assert_int_equal(magstore_manifest_load(w->io, DIR, &m, &err), MR_EUNSUPPORTED);
    assert_int_equal(magstore_manifest_clean(w->io, DIR, UINT64_MAX, &removed, &err), MR_EUNSUPPORTED);
    assert_true(manifest_kit_file_is_there(w->io, DIR, 1));
}

static void a_manifest_under_another_name_is_damage(void **state)
{
    struct world *w = *state;
    commit(w);
    put_version(w, 1);
    int rc = w->io->rename(w->io->ctx, DIR "/manifest-0000000000000002", DIR "/manifest-0000000000000003");
    assert_int_equal(rc, 0);
    struct magstore_manifest m = loaded(w);
    assert_true(m.fell_back && m.generation == 1 && m.highest == 3);
}

static void clean_leaves_what_is_named(void **state)
{
    struct world *w = *state;
    for (uint64_t n = 1; n <= 12; n++)
        manifest_kit_create(w->io, DIR, n);
    manifest_kit_add(&w->m, 1, 4);
    commit(w);
    assert_true(magstore_manifest_remove(&w->m, MAGSTORE_SEGMENT, 1));
    assert_true(magstore_manifest_remove(&w->m, MAGSTORE_NAMES, 3));
    manifest_kit_add(&w->m, 6, 1);
    commit(w);
    assert_int_equal(clean(w, 10), 4); /* 5, 7, 8, 9 */
    for (uint64_t n = 1; n <= 12; n++)
        assert_int_equal(manifest_kit_file_is_there(w->io, DIR, n), n <= 4 || n == 6 || n >= 10);
    commit(w); /* 1 and 3 are named no more */
    assert_int_equal(clean(w, UINT64_MAX), 5);
    for (uint64_t n = 1; n <= 12; n++)
        assert_int_equal(manifest_kit_file_is_there(w->io, DIR, n), n == 2 || n == 4 || n == 6);
    assert_int_equal(clean(w, UINT64_MAX), 0);
}

static void clean_knows_its_own_files(void **state)
{
    struct world *w = *state;
    static const char *const ours[] = {"manifest-0000000000000009.tmp", "seg-0000000000000003.mrs.tmp",
                                       "names-0000000000000004.mrn.tmp", "seg-0000000000000004.mrs",
                                       "names-0000000000000003.mrn"};
    static const char *const others[] = {"seg-0000000000000003.mrs.bak",
                                         "seg-000000000000003.mrs",
                                         "seg-00000000000000003.mrs",
                                         "seg-000000000000000G.mrs",
                                         "seg-000000000000000A.mrs",
                                         "names-0000000000000003.mrs",
                                         "names-.mrn",
                                         "manifest",
                                         "manifest-000000000000000x",
                                         "wal-0000000000000001.log",
                                         "keyring",
                                         ".tmp",
                                         "seg-0000000000000005.mrs.tmp",
                                         "names-0000000000000005.mrn"};
    commit(w);
    for (size_t i = 0; i < MR_ARRAY_LEN(ours); i++)
        manifest_kit_put(w->io, DIR, ours[i], MR_STR("x"));
    for (size_t i = 0; i < MR_ARRAY_LEN(others); i++)
        manifest_kit_put(w->io, DIR, others[i], MR_STR("x"));
    assert_int_equal(clean(w, 5), MR_ARRAY_LEN(ours));
    for (size_t i = 0; i < MR_ARRAY_LEN(ours); i++)
        assert_false(manifest_kit_is_there(w->io, DIR, ours[i]));
    for (size_t i = 0; i < MR_ARRAY_LEN(others); i++)
        assert_true(manifest_kit_is_there(w->io, DIR, others[i]));
}

static void clean_waits_while_a_newer_one_is_damaged(void **state)
{
    struct world *w = *state;
    for (uint64_t n = 1; n <= 6; n++)
        manifest_kit_create(w->io, DIR, n);
    manifest_kit_add(&w->m, 1, 2);
    commit(w);
    manifest_kit_add(&w->m, 3, 2);
    commit(w);
    damage(w, 2);
    manifest_kit_put(w->io, DIR, "seg-0000000000000001.mrs.tmp", MR_STR("x"));
    assert_int_equal(clean(w, UINT64_MAX), 1); /* the temporary file alone */
    struct magstore_manifest m = loaded(w);
    assert_true(m.fell_back);
    assert_int_equal(m.next_file, 7); /* above all files that are there, named or not */
    magstore_manifest_release(&w->m);
    w->m = m;
    commit(w);
    assert_int_equal(clean(w, UINT64_MAX), 4);
    assert_true(manifest_kit_file_is_there(w->io, DIR, 1) && manifest_kit_file_is_there(w->io, DIR, 2));
}

static void damage_to_the_older_one_does_not_matter(void **state)
{
    struct world *w = *state;
    manifest_kit_create(w->io, DIR, 1);
    manifest_kit_create(w->io, DIR, 2);
    manifest_kit_add(&w->m, 1, 1);
    commit(w);
    commit(w);
    damage(w, 1);
    struct magstore_manifest m = loaded(w);
    assert_true(!m.fell_back && m.generation == 2);
    magstore_manifest_release(&m);
    assert_int_equal(clean(w, UINT64_MAX), 1);
    assert_true(manifest_kit_file_is_there(w->io, DIR, 1));
}

static void without_manifests_clean_removes_no_data(void **state)
{
    struct world *w = *state;
    manifest_kit_create(w->io, DIR, 1);
    manifest_kit_put(w->io, DIR, "seg-0000000000000002.mrs.tmp", MR_STR("x"));
    assert_int_equal(clean(w, UINT64_MAX), 1);
    assert_true(manifest_kit_file_is_there(w->io, DIR, 1));
    struct magstore_manifest m = loaded(w);
    assert_int_equal(m.next_file, 2);
    magstore_manifest_release(&w->m);
    w->m = m;
    commit(w);
    assert_int_equal(clean(w, UINT64_MAX), 1);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(an_empty_directory_is_a_fresh_state),
        WITH_WORLD(the_newest_two_are_kept),
        WITH_WORLD(a_state_that_does_not_fit_is_not_written),
        WITH_WORLD(damage_falls_back_to_the_older),
        WITH_WORLD(a_file_cut_short_is_damage),
        WITH_WORLD(without_a_valid_one_the_start_stops),
        WITH_WORLD(a_later_version_is_no_damage),
        WITH_WORLD(a_manifest_under_another_name_is_damage),
        WITH_WORLD(clean_leaves_what_is_named),
        WITH_WORLD(clean_knows_its_own_files),
        WITH_WORLD(clean_waits_while_a_newer_one_is_damaged),
        WITH_WORLD(damage_to_the_older_one_does_not_matter),
        WITH_WORLD(without_manifests_clean_removes_no_data),
    };
    return cmocka_run_group_tests_name("magstore/manifest_files", tests, NULL, NULL);
}
