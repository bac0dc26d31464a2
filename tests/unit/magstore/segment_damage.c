/* Damage of any byte of a segment is noticed before anything of its piece is used; what is still answered is
 * right. */
#include "lib/check.h"

#include "base/hash.h"
#include "magstore/page.h"
#include "rows_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct kit_place kit;
static struct kit_model model;
static struct mr_buf whole; /* the file as it was written */
static char path[512];

static int set_up(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {21};
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_info info;
    kit_open(&kit);
    for (uint32_t s = 0; s < 3; s++) /* alike: their blocks are of one size */
        for (int64_t i = 0; i < 1100; i++) {
            struct kit_row *row = kit_append(&model, s, i, 1);
            row->cells[1].set = row->cells[7].set = true;
            row->cells[1].bits = 7;
            row->cells[7].bits = (uint64_t)i % 3;
        }
    for (uint32_t s = 3; s < 300; s++)
        for (int64_t i = 0; i < 1 + s % 4; i++)
            kit_fill(&model, kit_append(&model, s, i * 100, 1 + s % 2), &rng);
    kit_write(&kit.place, &model, &rng, &info);
    char name[MAGSTORE_NAME_BYTES];
    magstore_segment_name(kit.place.number, name);
    snprintf(path, sizeof path, "%s/%s", kit.dir, name);
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 24, &whole, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    MR_UNUSED(state);
    mr_buf_release(&whole);
    kit_free(&model);
    kit_close(&kit);
    return 0;
}

static void put_file(const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* Reads all of a block; what comes is right. False: something was refused. */
static bool read_block(struct magstore_page *page, const struct magstore_reader *r, uint32_t block,
                       size_t row)
{
    struct mr_error err = MR_ERROR_INIT;
    uint32_t n = magstore_reader_block(r, block)->rows;
    int status = magstore_page_load(page, r, block, &err);
    bool all = status == MR_OK;
    const int64_t *versions = NULL;
    for (uint32_t i = 0; status == MR_OK && i < n; i++)
        assert_int_equal(magstore_page_times(page)[i], model.rows[row + i].time);
    if (status == MR_OK)
        all = magstore_page_versions(page, &versions, &err) == MR_OK;
    for (uint32_t i = 0; all && i < n; i++)
        assert_int_equal(versions != NULL ? versions[i] : 1, model.rows[row + i].version);
    for (size_t k = 0; status == MR_OK && k < KIT_COLUMNS; k++) {
        struct magstore_values v;
        if (magstore_page_column(page, kit_columns[k], &v, &err) != MR_OK) {
            all = false;
            continue;
        }
        for (uint32_t i = 0; i < n; i++)
            assert_true(kit_same(&v, i, &model.rows[row + i].cells[k]));
    }
    if (!all) {
        assert_int_equal(err.status, MR_ECORRUPT);
        assert_non_null(strstr(err.text, "seg-")); /* names the file */
    }
    return all;
}

/* False: damage was noticed. */
static bool read_all(void)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_reader *r;
    struct magstore_page *page;
    int status = magstore_reader_open(&kit.place, &r, &err);
    if (status != MR_OK) {
        assert_true(status == MR_ECORRUPT || status == MR_ENOENT); /* a generation that never was */
        assert_true(err.text[0] != '\0');
        return false;
    }
    bool all = true;
    size_t row = 0;
    assert_int_equal(magstore_page_new(&page), MR_OK);
    for (uint32_t b = 0; b < magstore_reader_info(r)->blocks; b++) {
        all = read_block(page, r, b, row) && all;
        row += magstore_reader_block(r, b)->rows;
    }
    assert_int_equal(row, model.count);
    magstore_page_free(page);
    magstore_reader_close(r);
    return all;
}

/* Every byte of header, directory and footer, and many of the blocks, is changed once. */
static void test_every_flip_is_noticed(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {5};
    struct segment_footer footer;
    memcpy(&footer, whole.ptr + whole.len - sizeof footer, sizeof footer);
    size_t blocks = footer.directory_offset - sizeof(struct segment_header),
           tail = whole.len - footer.directory_offset;
    size_t flips = sizeof(struct segment_header) + tail + 2500;
    put_file(whole.ptr, whole.len);
    assert_true(read_all());
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < flips; i++) {
        size_t at = i < sizeof(struct segment_header) ? i
                    : i < sizeof(struct segment_header) + tail
                        ? blocks + i
                        : sizeof(struct segment_header) + mr_rng_below(&rng, blocks);
        char other = (char)(whole.ptr[at] ^ (1 + (int)mr_rng_below(&rng, 255)));
        assert_int_equal(pwrite(fd, &other, 1, (off_t)at), 1);
        if (read_all())
            fail_msg("a change of byte %zu went unnoticed", at);
        assert_int_equal(pwrite(fd, whole.ptr + at, 1, (off_t)at), 1);
    }
    close(fd);
    assert_true(read_all());
    print_message("%zu flips in %zu bytes, all noticed\n", flips, whole.len);
}

static void test_every_truncation_is_noticed(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {6};
    for (int i = 0; i < 300; i++) {
        size_t len = i < 200 ? (size_t)i : mr_rng_below(&rng, whole.len);
        put_file(whole.ptr, len);
        assert_false(read_all());
    }
    struct mr_buf longer = MR_BUF_INIT;
    mr_buf_str(&longer, mr_buf_view(&whole));
    mr_buf_u32(&longer, 0);
    put_file(longer.ptr, longer.len);
    assert_false(read_all());
    mr_buf_release(&longer);
    put_file(whole.ptr, whole.len);
    assert_true(read_all());
}

/* Makes the checksums of header and footer right. */
static void fix_crcs(char *bytes, size_t len)
{
    struct segment_header header;
    struct segment_footer footer;
    char *end = bytes + len - sizeof footer;
    memcpy(&header, bytes, sizeof header);
    header.crc = mr_crc32c(0, &header, offsetof(struct segment_header, crc));
    memcpy(bytes, &header, sizeof header);
    memcpy(&footer, end, sizeof footer);
    footer.header_crc = header.crc;
    footer.crc = mr_crc32c(0, &footer, offsetof(struct segment_footer, crc));
    memcpy(end, &footer, sizeof footer);
}

/* What somebody else changes has the right checksums: the seals tell. */
static void test_forged_headers_and_footers_are_noticed(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {7};
    char *bytes = malloc(whole.len);
    assert_non_null(bytes);
    for (size_t i = 0; i < 2 * 152; i++) {
        size_t k = i % 152, end = whole.len - sizeof(struct segment_footer), at = k < 76 ? k : end + k - 76;
        memcpy(bytes, whole.ptr, whole.len);
        bytes[at] = (char)(bytes[at] ^ (1 + (int)mr_rng_below(&rng, 255)));
        fix_crcs(bytes, whole.len);
        put_file(bytes, whole.len);
        bool put_right = at >= end + offsetof(struct segment_footer, header_crc) &&
                         at < end + offsetof(struct segment_footer, directory_crc);
        if (read_all() != put_right)
            fail_msg("a forged byte %zu went unnoticed", at);
    }
    free(bytes);
    put_file(whole.ptr, whole.len);
    assert_true(read_all());
}

/* The head of block `index`, from a page. */
static void load(struct magstore_page *page, const struct magstore_reader *r, uint32_t index)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(magstore_page_load(page, r, index, &err), &err);
}

static void swap(char *a, char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = a[i];
        a[i] = b[i];
        b[i] = c;
    }
}

/* Pieces with all their bytes in another place of the same file: blocks exchanged, columns exchanged. */
static void test_pieces_out_of_place_are_noticed(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_reader *r;
    struct magstore_page *page;
    put_file(whole.ptr, whole.len);
    check_ok(magstore_reader_open(&kit.place, &r, &err), &err);
    assert_int_equal(magstore_page_new(&page), MR_OK);
    const struct magstore_block *a = magstore_reader_block(r, 0), *b = magstore_reader_block(r, 1);
    assert_int_equal(a->bytes, b->bytes);
    char *bytes = malloc(whole.len);
    assert_non_null(bytes);
    memcpy(bytes, whole.ptr, whole.len);
    swap(bytes + a->offset, bytes + b->offset, a->bytes);
    put_file(bytes, whole.len);
    assert_false(read_all());
    put_file(whole.ptr, whole.len);
    load(page, r, 0); /* its head tells where columns lie */
    const struct magstore_head_column *c = page->head->columns;
    for (size_t i = 0; i < page->head->ncolumns; i++) {
        memcpy(bytes, whole.ptr, whole.len);
        swap(bytes + a->offset + c[i].offset, bytes + b->offset + c[i].offset,
             c[i].plain + SEGMENT_PIECE_EXTRA);
        put_file(bytes, whole.len);
        assert_false(read_all());
    }
    free(bytes);
    magstore_page_free(page);
    magstore_reader_close(r);
    put_file(whole.ptr, whole.len);
    assert_true(read_all());
}

/* A changed byte of a sealed piece under a right checksum. */
static void test_forged_pieces_are_noticed(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    struct mr_rng rng = {8};
    struct magstore_reader *r;
    struct magstore_page *page;
    check_ok(magstore_reader_open(&kit.place, &r, &err), &err);
    assert_int_equal(magstore_page_new(&page), MR_OK);
    char *bytes = malloc(whole.len);
    assert_non_null(bytes);
    for (int i = 0; i < 200; i++) {
        uint32_t block = (uint32_t)mr_rng_below(&rng, magstore_reader_info(r)->blocks);
        put_file(whole.ptr, whole.len);
        load(page, r, block);
        const struct magstore_head_column *c = &page->head->columns[mr_rng_below(&rng, page->head->ncolumns)];
        size_t start = page->entry.block.offset, len = page->entry.head_bytes - 4;
        if (i % 2 == 0) {
            start += c->offset;
            len = c->plain + SEAL_TAG_BYTES;
        }
        memcpy(bytes, whole.ptr, whole.len);
        bytes[start + mr_rng_below(&rng, len)] ^= 0x10;
        uint32_t crc = mr_crc32c(0, bytes + start, len);
        memcpy(bytes + start + len, &crc, sizeof crc);
        put_file(bytes, whole.len);
        assert_false(read_all());
    }
    free(bytes);
    magstore_page_free(page);
    magstore_reader_close(r);
    put_file(whole.ptr, whole.len);
    assert_true(read_all());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_flip_is_noticed),
        cmocka_unit_test(test_every_truncation_is_noticed),
        cmocka_unit_test(test_forged_headers_and_footers_are_noticed),
        cmocka_unit_test(test_pieces_out_of_place_are_noticed),
        cmocka_unit_test(test_forged_pieces_are_noticed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
