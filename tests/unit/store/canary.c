/* What is written is nowhere to be read below the data directory, but through its keys. */
#include "lib/check.h"
#include "unit/store/kit.h"

#include <ftw.h>
#include <stdio.h>

/* One for each kind of text that a record has. */
static const char *const canaries[] = {"canary-dimension-name", "canary-dimension-value",
                                       "canary-measure-name", "canary-attribute-name",
                                       "canary-attribute-value"};

static size_t files, bytes_read;

static int search(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    MR_UNUSED(st);
    MR_UNUSED(at);
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    if (kind != FTW_F)
        return 0;
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 30, &bytes, &err), &err);
    files++;
    bytes_read += bytes.len;
    for (size_t i = 0; i < MR_ARRAY_LEN(canaries); i++)
        if (memmem(bytes.ptr, bytes.len, canaries[i], strlen(canaries[i])) != NULL)
            fail_msg("\"%s\" lies in %s", canaries[i], path);
    mr_buf_release(&bytes);
    return 0;
}

static void look_everywhere(const struct kit *kit)
{
    files = bytes_read = 0;
    assert_int_equal(nftw(kit->dir, search, 8, FTW_PHYS), 0);
    assert_true(files >= 3 && bytes_read > 1000); /* two files of keys, a segment */
}

static void test_no_text_of_a_record_is_on_the_disk(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {.options = {.wal_segment_bytes = 1 << 20}};
    kit_open(&kit);
    const char *const words[] = {canaries[0], canaries[1], NULL};
    uint32_t ndims;
    struct mr_pair *dims = kit_dims(words, &ndims);
    for (int64_t i = 0; i < 50; i++) {
        struct store_attr attr = kit_text(canaries[3], canaries[4]);
        struct store_record record = kit_record(dims, ndims, canaries[2], i, 1, &attr, 1);
        assert_int_equal(kit_append(kit.table, &record, 1), MR_OK);
    }
    look_everywhere(&kit);
    kit_reopen(&kit);
    look_everywhere(&kit);
    char *rows = kit_rows(kit.store, kit.table);
    for (size_t i = 0; i < MR_ARRAY_LEN(canaries); i++)
        assert_non_null(strstr(rows, canaries[i])); /* and yet they are there */
    mr_free(rows);
    kit_dims_free(dims);
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_text_of_a_record_is_on_the_disk),
    };
    return cmocka_run_group_tests_name("store/canary", tests, NULL, NULL);
}
