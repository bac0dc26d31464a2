/* The index of a backup, a moment, and a page of a bucket's list: there and back, and every byte of them
 * spoilt. */
#include "lib/check.h"

#include "backup/parts.h"

#include <stdlib.h>

static void fill(struct backup_index *index)
{
    static const char sum[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    *index = (struct backup_index){
        .made = 1700000000000000000, .lsn = 17, .rows = 5, .log_entries = 3, .keys = true};
    strcpy(index->id, "20260102T030405000Z-1a2b3c");
    struct backup_file *f = backup_index_add(index, MR_STR("store/wal/wal-0000000000000001.log"),
                                             MR_STR("log/wal-0000000000000001.log-00aa-1024"), 1024);
    f->whole = 65536;
    f->nparts = 1;
    f->parts[0].bytes = 1024;
    memcpy(f->parts[0].sha256, sum, sizeof sum);
    f = backup_index_add(index, MR_STR("store/files/seg-0000000000000002.mrs"), MR_STR("files/seg-2-bb"),
                         BACKUP_PART_BYTES + 9);
    f->nparts = 2;
    f->parts[0].bytes = BACKUP_PART_BYTES;
    f->parts[1].bytes = 9;
    memcpy(f->parts[0].sha256, sum, sizeof sum);
    memcpy(f->parts[1].sha256, sum, sizeof sum);
}

static void test_there_and_back(void **state)
{
    MR_UNUSED(state);
    struct backup_index index, got;
    struct mr_buf bytes = MR_BUF_INIT, again = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    char key[BACKUP_KEY_BYTES];
    fill(&index);
    check_ok(backup_index_encode(&index, &bytes), &err);
    check_ok(backup_index_decode(mr_buf_view(&bytes), &got, &err), &err);
    check_ok(backup_index_encode(&got, &again), &err);
    assert_true(mr_str_eq(mr_buf_view(&again), mr_buf_view(&bytes)));
    assert_int_equal(got.nfiles, 2);
    assert_int_equal(got.files[0].whole, 65536);
    backup_part_key(&got.files[0], 0, key);
    assert_string_equal(key, "log/wal-0000000000000001.log-00aa-1024");
    backup_part_key(&got.files[1], 1, key);
    assert_string_equal(key, "files/seg-2-bb-00001");
    backup_index_release(&index);
    backup_index_release(&got);
    mr_buf_release(&bytes);
    mr_buf_release(&again);
}

static void test_every_spoilt_byte_is_noticed(void **state)
{
    MR_UNUSED(state);
    struct backup_index index, got;
    struct mr_buf bytes = MR_BUF_INIT;
    fill(&index);
    assert_int_equal(backup_index_encode(&index, &bytes), MR_OK);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.ptr[i] ^= 0x10;
        struct mr_error err = MR_ERROR_INIT;
        assert_int_equal(backup_index_decode(mr_buf_view(&bytes), &got, &err), MR_ECORRUPT);
        assert_string_not_equal(err.text, "");
        bytes.ptr[i] ^= 0x10;
        assert_int_equal(backup_index_decode((struct mr_str){bytes.ptr, i}, &got, NULL), MR_ECORRUPT);
    }
    backup_index_release(&index);
    mr_buf_release(&bytes);
}

/* With a right checksum, too: nothing leads out of the data directory or the target. */
static void test_paths_stay_inside(void **state)
{
    MR_UNUSED(state);
    static const char *const bad[] = {"file 0 0 ../x files/a",
                                      "file 0 0 /etc/passwd files/a",
                                      "file 0 0 store/files/../../x files/a",
                                      "file 0 0 store/files/a/b files/a",
                                      "file 0 0 VERSION files/a",
                                      "file 0 0 store/files/.x files/a",
                                      "file 0 0 store/files/x ../a",
                                      "file 0 0 store/files/x files/a b",
                                      "file 9 8 store/files/x files/a",
                                      "file 0 99999999999999 store/files/x files/a",
                                      "file 18446744073709551615 18446744073709551615 store/files/x files/a",
                                      "file 5 5 store/files/x files/a",
                                      "part 5 5",
                                      "nonsense"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        struct mr_buf bytes = MR_BUF_INIT;
        struct backup_index got;
        char sum[65];
        mr_buf_printf(
            &bytes,
            "millrace backup 1\nid 20260102T030405000Z-1a2b3c\nmade 1\nlsn 1\nrows 1\nlog-entries 1\nkeys "
            "no\n%s\n",
            bad[i]);
        backup_sha256(mr_buf_view(&bytes), sum);
        mr_buf_printf(&bytes, "end %s\n", sum);
        struct mr_error err = MR_ERROR_INIT;
        if (backup_index_decode(mr_buf_view(&bytes), &got, &err) != MR_ECORRUPT)
            fail_msg("taken: %s", bad[i]);
        mr_buf_release(&bytes);
    }
}

static void test_moment(void **state)
{
    MR_UNUSED(state);
    struct backup_moment moment = BACKUP_MOMENT_INIT, got;
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    moment.lsn = 99;
    moment.manifest.generation = moment.manifest.highest = 4;
    moment.manifest.wal_low = 90;
    mr_buf_str(&moment.catalog, MR_STR("catalog"));
    mr_buf_str(&moment.keyring, MR_STR("keyring"));
    check_ok(backup_moment_encode(&moment, &bytes), &err);
    check_ok(backup_moment_decode(mr_buf_view(&bytes), &got, &err), &err);
    assert_int_equal(got.lsn, 99);
    assert_int_equal(got.manifest.wal_low, 90);
    check_str(mr_buf_view(&got.catalog), "catalog");
    check_str(mr_buf_view(&got.keyring), "keyring");
    for (size_t i = 0; i < bytes.len; i++) {
        struct backup_moment cut;
        assert_int_equal(backup_moment_decode((struct mr_str){bytes.ptr, i}, &cut, NULL), MR_ECORRUPT);
    }
    backup_moment_release(&moment);
    backup_moment_release(&got);
    mr_buf_release(&bytes);
}

static int on_key(void *ctx, struct mr_str key, uint64_t bytes)
{
    mr_buf_printf(ctx, MR_STR_FMT "=%u ", MR_STR_ARG(key), (unsigned)bytes);
    return MR_OK;
}

static void test_pages_of_a_list(void **state)
{
    MR_UNUSED(state);
    static const struct mr_str page = MR_STR(
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Name>b</Name><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>t&1=</NextContinuationToken>"
        "<Contents><Key>p/files/a</Key><LastModified>x</LastModified><Size>12</Size></Contents>"
        "<Contents><Key>p/odd &amp; key</Key><Size>1</Size></Contents>"
        "<Contents><Size>7</Size><Key>p/files/b</Key></Contents></ListBucketResult>");
    struct mr_buf keys = MR_BUF_INIT, token = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(backup_s3_page(page, on_key, &keys, &token, &err), &err);
    check_str(mr_buf_view(&keys), "p/files/a=12 p/files/b=7 ");
    check_str(mr_buf_view(&token), "t&1=");
    token.len = 0;
    assert_int_equal(backup_s3_page(MR_STR("<html>no</html>"), on_key, &keys, &token, NULL), MR_EINVAL);
    for (size_t i = 0; i < page.len; i++) /* cut anywhere: an answer or an error, nothing worse */
        (void)backup_s3_page(mr_str_slice(page, 0, i), on_key, &keys, &token, NULL);
    mr_buf_release(&keys);
    mr_buf_release(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),    cmocka_unit_test(test_every_spoilt_byte_is_noticed),
        cmocka_unit_test(test_paths_stay_inside), cmocka_unit_test(test_moment),
        cmocka_unit_test(test_pages_of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
