/* The bytes: a second decoder reads the same, a segment of each format version opens, and files are as small
 * as docs/format/segment.md says. `unit_magstore_segment_format make DIR` made tests/golden/segment-v1. */
#include "lib/check.h"
#include "lib/dir.h"

#include "rows_kit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FROZEN MR_SOURCE_DIR "/tests/golden/segment-v1" /* master.key, keyring, seg-*.mrs, rows */
#define DECODER MR_SOURCE_DIR "/tests/unit/magstore/decode.py"

static void print_cell(uint32_t column, const struct magstore_values *v, size_t row, struct mr_buf *out)
{
    static const char letters[] = "?divbt";
    if (v->type == MAGSTORE_NONE || (v->valid != NULL && v->valid[row] == 0))
        return;
    mr_buf_printf(out, " %" PRIu32 "=%c", column, letters[v->type]);
    if (v->type == MAGSTORE_VARCHAR) {
        struct mr_str text = ((const struct mr_str *)v->values)[row];
        for (size_t i = 0; i < text.len; i++)
            mr_buf_printf(out, "%02x", (unsigned char)text.ptr[i]);
    } else if (v->type == MAGSTORE_BOOLEAN) {
        mr_buf_printf(out, "%02x", ((const uint8_t *)v->values)[row]);
    } else {
        mr_buf_printf(out, "%016" PRIx64, ((const uint64_t *)v->values)[row]);
    }
}

/* All rows of the segment in the form of decode.py. */
static void print_rows(const struct magstore_place *place, struct mr_buf *out)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_reader *reader;
    struct magstore_page *page;
    check_ok(magstore_reader_open(place, &reader, &err), &err);
    assert_int_equal(magstore_page_new(&page), MR_OK);
    for (uint32_t b = 0; b < magstore_reader_info(reader)->blocks; b++) {
        uint32_t nruns, ncolumns;
        const int64_t *versions;
        check_ok(magstore_page_load(page, reader, b, &err), &err);
        const struct magstore_run *run = magstore_page_runs(page, &nruns);
        const uint32_t *columns = magstore_page_columns(page, &ncolumns);
        check_ok(magstore_page_versions(page, &versions, &err), &err);
        for (uint32_t r = 0; r < magstore_reader_block(reader, b)->rows; r++) {
            if (r == run->first + run->rows)
                run++;
            mr_buf_printf(out, "%" PRIu32 " %" PRId64 " %" PRId64, run->series, magstore_page_times(page)[r],
                          versions != NULL ? versions[r] : 1);
            for (uint32_t i = 0; i < ncolumns; i++) {
                struct magstore_values v;
                check_ok(magstore_page_column(page, columns[i], &v, &err), &err);
                print_cell(columns[i], &v, r, out);
            }
            mr_buf_char(out, '\n');
        }
    }
    magstore_page_free(page);
    magstore_reader_close(reader);
}

static void read_output(const char *command, struct mr_buf *out)
{
    static char bytes[64 << 10];
    size_t n;
    FILE *from = popen(command, "r");
    assert_non_null(from);
    while ((n = fread(bytes, 1, sizeof bytes, from)) != 0)
        mr_buf_add(out, bytes, n);
    assert_int_equal(pclose(from), 0);
}

static void check_same(const struct mr_buf *got, const struct mr_buf *want)
{
    assert_true(mr_buf_ok(got) && mr_buf_ok(want));
    size_t at = 0;
    while (at < got->len && at < want->len && got->ptr[at] == want->ptr[at])
        at++;
    if (at != got->len || at != want->len)
        fail_msg("differ at %zu of %zu and %zu: got \"%.60s\", want \"%.60s\"", at, got->len, want->len,
                 at < got->len ? got->ptr + at : "", at < want->len ? want->ptr + at : "");
}

/* Debian's python3, which has the modules of tools/setup/packages-test.txt, whatever comes first in PATH. */
static void decoders_agree(const struct kit_place *kit)
{
    struct mr_buf ours = MR_BUF_INIT, theirs = MR_BUF_INIT;
    char command[1024], name[MAGSTORE_NAME_BYTES];
    magstore_segment_name(kit->place.number, name);
    snprintf(command, sizeof command, "/usr/bin/python3 " DECODER " %s %s/%s", kit->dir, kit->dir, name);
    read_output(command, &theirs);
    print_rows(&kit->place, &ours);
    check_same(&ours, &theirs);
    mr_buf_release(&ours);
    mr_buf_release(&theirs);
}

static double normal(struct mr_rng *rng)
{
    return sqrt(-2 * log(1 - mr_rng_unit(rng))) * cos(2 * M_PI * mr_rng_unit(rng));
}

static void set_double(struct kit_cell *cell, double v)
{
    cell->set = true;
    memcpy(&cell->bits, &v, sizeof v);
}

/* A long series of walks, short ones of everything, then many of one row. */
static void make_rows(struct kit_model *m, struct mr_rng *rng)
{
    double x = 50;
    for (int64_t i = 0; i < 1100; i++) {
        struct kit_row *row = kit_append(m, 7, 1000000 * i, 1);
        x += normal(rng);
        set_double(&row->cells[0], round(x * 100) / 100);
        set_double(&row->cells[5], x);
    }
    for (uint32_t s = 8; s < 20; s++)
        for (int64_t i = 0; i < 1 + s % 5; i++) {
            struct kit_row *row = kit_append(m, s, i * i * 977, 1 + s % 3);
            kit_fill(m, row, rng);
            for (size_t k = 0; k < KIT_COLUMNS; k++)
                if (row->cells[k].text.len > 40)
                    row->cells[k].text.len = 40;
        }
    for (uint32_t s = 20; s < 300; s++)
        set_double(&kit_append(m, s * s, 5000000000 * (s % 7), 1)->cells[0], s % 13);
}

static void a_second_decoder_reads_the_same(void **state)
{
    MR_UNUSED(state);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct mr_rng rng = {seed};
        struct kit_place kit;
        struct kit_model m = {0};
        struct magstore_info info;
        kit_open(&kit);
        make_rows(&m, &rng);
        for (uint32_t s = 0; s < 30; s++) /* bits of every kind */
            kit_fill(&m, kit_append(&m, 100000 + s, (int64_t)mr_rng_next(&rng), (int64_t)s), &rng);
        kit_write(&kit.place, &m, &rng, &info);
        decoders_agree(&kit);
        kit_free(&m);
        kit_close(&kit);
    }
}

/* A copy of the frozen directory, its master key as private as it was. */
static void thaw(struct kit_place *kit)
{
    char command[1024];
    struct mr_error err = MR_ERROR_INIT;
    kit->dir = dir_make();
    snprintf(command, sizeof command, "cp " FROZEN "/* %s && chmod 600 %s/*", kit->dir, kit->dir);
    assert_int_equal(system(command), 0);
    kit->place = (struct magstore_place){
        .io = &mr_io_posix, .dir = kit->dir, .database = 11, .table = 22, .number = 33};
    check_ok(seal_keyring_open(&mr_io_posix, kit->dir, &kit->place.keyring, &err), &err);
}

static void version_1_opens(void **state)
{
    MR_UNUSED(state);
    struct kit_place kit;
    struct mr_buf got = MR_BUF_INIT, want = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    thaw(&kit);
    print_rows(&kit.place, &got);
    check_ok(mr_io_read_file(&mr_io_posix, FROZEN "/rows", 1 << 20, &want, &err), &err);
    check_same(&got, &want);
    decoders_agree(&kit);
    mr_buf_release(&got);
    mr_buf_release(&want);
    kit_close(&kit);
}

/* 100 series of 8,640 rows and ten doubles: a walk kept to `unit` (0: as it is). Bytes a value. */
static double size_of_walks(double unit)
{
    enum { SERIES = 100, ROWS = 8640, COLUMNS = 10 };
    static double walks[COLUMNS][ROWS];
    static int64_t times[ROWS];
    struct kit_place kit;
    struct magstore_writer *w;
    struct magstore_info info;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_rng rng = {7};
    kit_open(&kit);
    check_ok(magstore_writer_open(&kit.place, &w, &err), &err);
    for (uint32_t s = 0; s < SERIES; s++) {
        struct magstore_values v[COLUMNS];
        for (uint32_t c = 0; c < COLUMNS; c++) {
            double x = mr_rng_unit(&rng) * 100;
            for (size_t r = 0; r < ROWS; r++) {
                x += normal(&rng);
                x = x < 0 ? 0 : x > 100 ? 100 : x;
                walks[c][r] = unit != 0 ? round(x * unit) / unit : x;
                times[r] = INT64_C(1700000000000000000) + (int64_t)r * INT64_C(10000000000);
            }
            v[c] = (struct magstore_values){c + 2, MAGSTORE_DOUBLE, walks[c], NULL};
        }
        check_ok(magstore_writer_add(w, s, &(struct magstore_rows){ROWS, times, NULL, v, COLUMNS}, &err),
                 &err);
    }
    check_ok(magstore_writer_finish(w, &info, &err), &err);
    kit_close(&kit);
    return (double)info.size / ((double)SERIES * ROWS * COLUMNS);
}

static void walks_take_so_many_bytes(void **state)
{
    MR_UNUSED(state);
    double whole = size_of_walks(1), cents = size_of_walks(100), full = size_of_walks(0);
    print_message("bytes a value, all included: whole numbers %.3f, two decimals %.3f, full doubles %.3f\n",
                  whole, cents, full);
    assert_true(whole <= 0.33 && cents <= 1.15 && full <= 6.6);
}

static int make_golden(const char *dir)
{
    struct kit_model m = {0};
    struct mr_rng rng = {1};
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_info info;
    struct mr_buf rows = MR_BUF_INIT;
    struct magstore_place place = {.io = &mr_io_posix, .dir = dir, .database = 11, .table = 22, .number = 33};
    check_ok(seal_keyring_open(&mr_io_posix, dir, &place.keyring, &err), &err);
    make_rows(&m, &rng);
    kit_write(&place, &m, &rng, &info);
    print_rows(&place, &rows);
    check_ok(mr_io_write_file(&mr_io_posix, dir, "rows", mr_buf_view(&rows), 0644, &err), &err);
    seal_keyring_close(place.keyring);
    mr_buf_release(&rows);
    kit_free(&m);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make_golden(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_decoder_reads_the_same),
        cmocka_unit_test(version_1_opens),
        cmocka_unit_test(walks_take_so_many_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
