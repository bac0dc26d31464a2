/* Manifests as lists and bytes: order, round trip, damage, and the frozen files of version 1. */
#include "lib/dir.h"
#include "lib/fault.h"
#include "unit/magstore/manifest_kit.h"

#include "base/hash.h"
#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>

static struct mr_str encoded(const struct magstore_manifest *m, struct mr_buf *buf)
{
    assert_int_equal(magstore_manifest_encode(m, buf), MR_OK);
    return mr_buf_view(buf);
}

static void names_of_files(void **unused)
{
    MR_UNUSED(unused);
    char name[MAGSTORE_FILE_NAME_BYTES];
    magstore_file_name(MAGSTORE_SEGMENT, 255, name);
    assert_string_equal(name, "seg-00000000000000ff.mrs");
    magstore_file_name(MAGSTORE_NAMES, UINT64_MAX, name);
    assert_string_equal(name, "names-ffffffffffffffff.mrn");
}

static void the_list_keeps_its_order(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_rng rng = {4};
    bool in[200] = {false};
    size_t count = 0;
    for (int step = 0; step < 2000; step++) {
        uint64_t n = mr_rng_below(&rng, MR_ARRAY_LEN(in));
        struct magstore_file file = manifest_kit_file(n);
        if (in[n]) {
            enum magstore_kind other = file.kind == MAGSTORE_NAMES ? MAGSTORE_SEGMENT : MAGSTORE_NAMES;
            assert_false(magstore_manifest_remove(&m, other, n));
            assert_true(magstore_manifest_remove(&m, file.kind, n));
        } else {
            assert_false(magstore_manifest_remove(&m, file.kind, n));
            assert_int_equal(magstore_manifest_add(&m, &file), MR_OK);
        }
        in[n] = !in[n];
        count += in[n] ? 1u : (size_t)-1;
        assert_int_equal(m.nfiles, count);
        for (size_t i = 1; i < m.nfiles; i++) {
            const struct magstore_file *a = &m.files[i - 1], *b = &m.files[i];
            assert_true(a->table < b->table ||
                        (a->table == b->table &&
                         (a->kind < b->kind || (a->kind == b->kind && a->number < b->number))));
        }
    }
    magstore_manifest_release(&m);
}

static void copies_are_their_own(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT, copy = MAGSTORE_MANIFEST_INIT;
    assert_int_equal(magstore_manifest_copy(&m, &copy), MR_OK);
    assert_true(copy.files == NULL && copy.next_file == 1);
    manifest_kit_add(&m, 1, 20);
    m.wal_low = 77;
    fault_alloc(1);
    assert_int_equal(magstore_manifest_copy(&m, &copy), MR_ENOMEM);
    fault_alloc(0);
    assert_int_equal(magstore_manifest_copy(&m, &copy), MR_OK);
    assert_true(manifest_kit_same(&m, &copy));
    assert_true(magstore_manifest_remove(&m, MAGSTORE_SEGMENT, 4));
    assert_int_equal(copy.nfiles, 20);
    manifest_kit_add(&copy, 21, 50);
    assert_int_equal(m.nfiles, 19);
    magstore_manifest_release(&m);
    magstore_manifest_release(&copy);
}

static void what_is_encoded_comes_back(void **unused)
{
    MR_UNUSED(unused);
    static const size_t counts[] = {0, 1, 2, 3, 100, 5000};
    for (size_t i = 0; i < MR_ARRAY_LEN(counts); i++) {
        struct magstore_manifest m = MAGSTORE_MANIFEST_INIT, back = MAGSTORE_MANIFEST_INIT;
        struct mr_buf bytes = MR_BUF_INIT;
        struct mr_error err = MR_ERROR_INIT;
        m.generation = i == 0 ? 1 : UINT64_MAX - i;
        m.wal_low = i == 0 ? 0 : UINT64_MAX - 7;
        manifest_kit_add(&m, 1, counts[i]);
        check_ok(magstore_manifest_decode(encoded(&m, &bytes), &back, &err), &err);
        assert_true(manifest_kit_same(&m, &back));
        assert_int_equal(back.highest, m.generation);
        magstore_manifest_release(&m);
        magstore_manifest_release(&back);
        mr_buf_release(&bytes);
    }
}

static void extremes_come_back(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_file most = {.kind = MAGSTORE_NAMES,
                                 .level = UINT8_MAX,
                                 .number = UINT64_MAX - 1,
                                 .database = UINT64_MAX,
                                 .table = UINT64_MAX,
                                 .key_generation = UINT32_MAX,
                                 .size = UINT64_MAX,
                                 .rows = UINT64_MAX,
                                 .first_series = UINT32_MAX,
                                 .last_series = UINT32_MAX,
                                 .time_min = INT64_MIN,
                                 .time_max = INT64_MAX,
                                 .footer_crc = UINT32_MAX};
    struct magstore_file least = {
        .kind = MAGSTORE_SEGMENT, .number = 0, .time_min = INT64_MAX, .time_max = INT64_MIN};
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT, back = MAGSTORE_MANIFEST_INIT;
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    m.generation = 9;
    m.next_file = UINT64_MAX;
    assert_int_equal(magstore_manifest_add(&m, &most), MR_OK);
    assert_int_equal(magstore_manifest_add(&m, &least), MR_OK);
    check_ok(magstore_manifest_decode(encoded(&m, &bytes), &back, &err), &err);
    assert_true(manifest_kit_same(&m, &back));
    magstore_manifest_release(&m);
    magstore_manifest_release(&back);
    mr_buf_release(&bytes);
}

static void check_damaged(const char *bytes, size_t len, const char *what, size_t at)
{
    struct magstore_manifest back = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    char *exact = malloc(len + 1); /* so that reading beyond is seen */
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    int status = magstore_manifest_decode((struct mr_str){exact, len}, &back, &err);
    if (status != MR_ECORRUPT || strstr(err.text, "offset") == NULL)
        fail_msg("%s at %zu: status %d, \"%s\"", what, at, status, err.text);
    assert_null(back.files);
    free(exact);
}

static void every_flipped_byte_is_noticed(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_buf bytes = MR_BUF_INIT;
    m.generation = 5;
    manifest_kit_add(&m, 1, 12);
    encoded(&m, &bytes);
    for (size_t i = 0; i < bytes.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes.ptr[i] = (char)(bytes.ptr[i] ^ (1 << bit));
            check_damaged(bytes.ptr, bytes.len, "flip", i);
            bytes.ptr[i] = (char)(bytes.ptr[i] ^ (1 << bit));
        }
    for (size_t len = 0; len < bytes.len; len++)
        check_damaged(bytes.ptr, len, "cut", len);
    mr_buf_char(&bytes, 0);
    check_damaged(bytes.ptr, bytes.len, "one byte more", bytes.len);
    magstore_manifest_release(&m);
    mr_buf_release(&bytes);
}

/* The checksum is right, what it covers is not. */
static void reseal(struct mr_buf *bytes)
{
    uint32_t crc = mr_crc32c(0, bytes->ptr, bytes->len - 4);
    memcpy(bytes->ptr + bytes->len - 4, &crc, 4);
}

static void sealed_nonsense_is_refused(void **unused)
{
    MR_UNUSED(unused);
    static const struct {
        size_t offset;
        unsigned char byte;
        int want;
    } cases[] = {
        {8, 2, MR_EUNSUPPORTED}, /* a later version */
        {12, 1, MR_ECORRUPT},    /* zero */
        {16, 0, MR_ECORRUPT},    /* generation 0 */
        {32, 2, MR_ECORRUPT},    /* next_file below a number */
        {40, 4, MR_ECORRUPT},    /* one entry more than there is */
        {40, 2, MR_ECORRUPT},    /* one less */
        {47, 0xff, MR_ECORRUPT}, /* very many */
        {48, 3, MR_ECORRUPT},    /* unknown kind */
        {48, 0, MR_ECORRUPT},    /* unknown kind */
        {50, 9, MR_ECORRUPT},    /* a number that is not below next_file */
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct magstore_manifest m = MAGSTORE_MANIFEST_INIT, back = MAGSTORE_MANIFEST_INIT;
        struct mr_buf bytes = MR_BUF_INIT;
        struct mr_error err = MR_ERROR_INIT;
        m.generation = 1;
        manifest_kit_add(&m, 1, 3);
        encoded(&m, &bytes);
        bytes.ptr[cases[i].offset] = (char)cases[i].byte;
        reseal(&bytes);
        int status = magstore_manifest_decode(mr_buf_view(&bytes), &back, &err);
        if (status != cases[i].want)
            fail_msg("case %zu: status %d, \"%s\"", i, status, err.text);
        magstore_manifest_release(&m);
        mr_buf_release(&bytes);
    }
}

static void numbers_must_fit(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    manifest_kit_add(&m, 1, 8);
    assert_int_equal(magstore_manifest_check(&m), MR_OK);
    m.next_file = 8;
    assert_int_equal(magstore_manifest_check(&m), MR_EINVAL);
    m.next_file = 9;
    struct magstore_file twin = manifest_kit_file(5);
    twin.table = 999; /* elsewhere in the list */
    assert_int_equal(magstore_manifest_add(&m, &twin), MR_OK);
    assert_int_equal(magstore_manifest_check(&m), MR_EINVAL);
    magstore_manifest_release(&m);
}

static void allocations_may_fail(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_buf bytes = MR_BUF_INIT;
    m.generation = 1;
    manifest_kit_add(&m, 1, 300);
    encoded(&m, &bytes);
    bool fired = true;
    for (unsigned n = 1; fired; n++) {
        struct magstore_manifest back = MAGSTORE_MANIFEST_INIT;
        struct mr_buf again = MR_BUF_INIT;
        fault_alloc(n);
        int decoded = magstore_manifest_decode(mr_buf_view(&bytes), &back, NULL);
        int status = decoded == MR_OK ? magstore_manifest_encode(&back, &again) : decoded;
        fired = fault_alloc_fired();
        fault_alloc(0);
        assert_int_equal(status, fired ? MR_ENOMEM : MR_OK);
        magstore_manifest_release(&back);
        mr_buf_release(&again);
    }
    magstore_manifest_release(&m);
    mr_buf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(the_list_keeps_its_order),
        cmocka_unit_test(copies_are_their_own),
        cmocka_unit_test(what_is_encoded_comes_back),
        cmocka_unit_test(extremes_come_back),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(sealed_nonsense_is_refused),
        cmocka_unit_test(numbers_must_fit),
        cmocka_unit_test(allocations_may_fail),
    };
    return cmocka_run_group_tests_name("magstore/manifest", tests, NULL, NULL);
}
