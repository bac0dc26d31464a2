/* Manifests of every format version, as they were written then, still say what they said.
 *
 * With a directory as its argument the program writes such manifests and what they say, for a new version:
 * see tests/golden/README.md.
 */
#include "unit/magstore/manifest_kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FROZEN MR_SOURCE_DIR "/tests/golden/manifest-v1"
#define DECODER MR_SOURCE_DIR "/tests/unit/magstore/manifest_decode.py"

/* The form of the decoder. */
static void dump(const struct magstore_manifest *m, struct mr_buf *out)
{
    mr_buf_printf(out, "manifest %" PRIu64 " log %" PRIu64 " next %" PRIu64 "\n", m->generation, m->wal_low,
                  m->next_file);
    for (size_t i = 0; i < m->nfiles; i++) {
        const struct magstore_file *f = &m->files[i];
        mr_buf_printf(out,
                      "%s %" PRIu64 " level %u database %" PRIu64 " table %" PRIu64 " key %" PRIu32
                      " size %" PRIu64 " rows %" PRIu64 " series %" PRIu32 " %" PRIu32 " time %" PRId64
                      " %" PRId64 " crc %08" PRIx32 "\n",
                      f->kind == MAGSTORE_NAMES ? "names" : "segment", f->number, f->level, f->database,
                      f->table, f->key_generation, f->size, f->rows, f->first_series, f->last_series,
                      f->time_min, f->time_max, f->footer_crc);
    }
}

static void check_decoder(const char *path, const struct mr_buf *want)
{
    char command[1024], bytes[4096];
    struct mr_buf got = MR_BUF_INIT;
    snprintf(command, sizeof command, "/usr/bin/python3 " DECODER " %s", path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, out)) != 0;)
        mr_buf_add(&got, bytes, n);
    assert_int_equal(pclose(out), 0);
    mr_buf_char(&got, '\0');
    check_str(mr_buf_view(want), got.ptr);
    mr_buf_release(&got);
}

static struct mr_buf read_file(const char *path)
{
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 20, &bytes, &err), &err);
    return bytes;
}

static void manifests_of_version_1(void **unused)
{
    MR_UNUSED(unused);
    struct mr_buf all = MR_BUF_INIT, want = read_file(FROZEN "/dump");
    for (uint64_t generation = 1; generation <= 3; generation++) {
        char path[512];
        struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
        struct mr_error err = MR_ERROR_INIT;
        struct mr_buf one = MR_BUF_INIT;
        snprintf(path, sizeof path, FROZEN "/manifest-%016" PRIx64, generation);
        struct mr_buf bytes = read_file(path);
        check_ok(magstore_manifest_decode(mr_buf_view(&bytes), &m, &err), &err);
        dump(&m, &one);
        check_decoder(path, &one);
        mr_buf_str(&all, mr_buf_view(&one));
        /* And it is written the same way today, as long as this version is the newest. */
        struct mr_buf again = MR_BUF_INIT;
        assert_int_equal(magstore_manifest_encode(&m, &again), MR_OK);
        assert_true(mr_str_eq(mr_buf_view(&again), mr_buf_view(&bytes)));
        mr_buf_release(&again);
        mr_buf_release(&one);
        mr_buf_release(&bytes);
        magstore_manifest_release(&m);
    }
    mr_buf_char(&want, '\0');
    check_str(mr_buf_view(&all), want.ptr);
    mr_buf_release(&all);
    mr_buf_release(&want);
}

/* Three generations: nothing, the extremes of all fields, and many files. */
static void make(struct magstore_manifest *m, uint64_t generation)
{
    *m = (struct magstore_manifest)MAGSTORE_MANIFEST_INIT;
    m->generation = generation;
    if (generation == 2) {
        const struct magstore_file files[] = {
            {MAGSTORE_NAMES, UINT8_MAX, UINT64_MAX - 1, UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT64_MAX,
             UINT64_MAX, UINT32_MAX, UINT32_MAX, INT64_MIN, INT64_MAX, UINT32_MAX},
            {MAGSTORE_SEGMENT, 0, 0, 0, 0, 0, 0, 0, 1, 0, INT64_MAX, INT64_MIN, 0},
            {MAGSTORE_SEGMENT, 1, 127, 128, 16383, 16384, 1, 1, 0, 0, -1, 0, 1}};
        for (size_t i = 0; i < MR_ARRAY_LEN(files); i++)
            assert_int_equal(magstore_manifest_add(m, &files[i]), MR_OK);
        m->next_file = UINT64_MAX;
        m->wal_low = UINT64_MAX;
    } else if (generation == 3) {
        manifest_kit_add(m, 1, 100);
        m->wal_low = 123456789;
    }
}

static int write_frozen(const char *dir)
{
    struct mr_buf all = MR_BUF_INIT;
    for (uint64_t generation = 1; generation <= 3; generation++) {
        char name[64];
        struct magstore_manifest m;
        struct mr_buf bytes = MR_BUF_INIT;
        make(&m, generation);
        snprintf(name, sizeof name, "manifest-%016" PRIx64, generation);
        if (magstore_manifest_encode(&m, &bytes) != MR_OK)
            return 1;
        manifest_kit_put(&mr_io_posix, dir, name, mr_buf_view(&bytes));
        dump(&m, &all);
        mr_buf_release(&bytes);
        magstore_manifest_release(&m);
    }
    manifest_kit_put(&mr_io_posix, dir, "dump", mr_buf_view(&all));
    mr_buf_release(&all);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifests_of_version_1),
    };
    if (argc > 1)
        return write_frozen(argv[1]);
    return cmocka_run_group_tests_name("magstore/manifest_golden", tests, NULL, NULL);
}
