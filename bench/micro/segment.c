/* bench/micro/segment.c - what segments cost: mr_bench_segment [-s series] [-r rows] DIR
 *
 * Writes and reads series of ten doubles, each a random walk in [0, 100] with steps of N(0, 1): kept as whole
 * numbers, as two decimals and as they are. One line a walk: bytes a value with everything around it, values
 * encoded and decoded in a second of processor time (sealing, writing to the page cache, times and heads
 * included), the same of the codec alone, and what share of that time sealing and opening take; then reading
 * one column of ten. For two decimals, also merging two segments into one. The best of five rounds counts.
 * The numbers in docs/format/segment.md come from here.
 */
#include "magstore/codec.h"
#include "magstore/merge.h"

#include "base/rand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS 10
#define ROUNDS 5

static size_t nseries = 100, nrows = 8640;

static double *walks; /* by series, then column, then row */
static int64_t *times;

static void die(const char *what)
{
    fprintf(stderr, "mr_bench_segment: %s\n", what);
    exit(1);
}

/* Of this process: others may be busy, and waiting for the disk is not the matter. */
static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static double normal(struct mr_rng *rng)
{
    return sqrt(-2 * log(1 - mr_rng_unit(rng))) * cos(2 * M_PI * mr_rng_unit(rng));
}

static void make_walks(double unit)
{
    struct mr_rng rng = {7};
    for (size_t i = 0; i < nseries * COLUMNS; i++) {
        double x = mr_rng_unit(&rng) * 100;
        for (size_t r = 0; r < nrows; r++) {
            x += normal(&rng);
            x = x < 0 ? 0 : x > 100 ? 100 : x;
            walks[i * nrows + r] = unit != 0 ? round(x * unit) / unit : x;
        }
    }
}

/* Of every series, values [from, from + n) at these times. */
static uint64_t write_rows(const struct magstore_place *place, size_t from, size_t n, const int64_t *at)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_writer *writer;
    struct magstore_info info;
    if (magstore_writer_open(place, &writer, &err) != MR_OK)
        die(err.text);
    for (size_t i = 0; i < nseries; i++) {
        struct magstore_values values[COLUMNS];
        for (uint32_t c = 0; c < COLUMNS; c++)
            values[c] = (struct magstore_values){c + 2, MAGSTORE_DOUBLE,
                                                 walks + (i * COLUMNS + c) * nrows + from, NULL};
        const struct magstore_rows rows = {n, at, NULL, values, COLUMNS};
        if (magstore_writer_add(writer, (uint32_t)i, &rows, &err) != MR_OK)
            die(err.text);
    }
    if (magstore_writer_finish(writer, &info, &err) != MR_OK)
        die(err.text);
    return info.size;
}

/* Reads everything in the columns; a sum keeps the reads from being left out. */
static uint64_t read_segment(const struct magstore_place *place, uint32_t columns, double *sum)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_reader *reader;
    struct magstore_merge *merge;
    uint32_t numbers[COLUMNS], series;
    for (uint32_t c = 0; c < columns; c++)
        numbers[c] = c + 2;
    if (magstore_reader_open(place, &reader, &err) != MR_OK ||
        magstore_merge_open(&reader, 1, INT64_MIN, INT64_MAX, numbers, columns, false, &merge) != MR_OK)
        die(err.text);
    for (;;) {
        struct magstore_rows rows;
        if (magstore_merge_next(merge, MAGSTORE_BLOCK_ROWS, false, &series, &rows, &err) != MR_OK)
            die(err.text);
        if (rows.count == 0)
            break;
        for (uint32_t c = 0; c < columns; c++)
            *sum += ((const double *)rows.columns[c].values)[rows.count - 1];
    }
    uint64_t bytes = magstore_merge_bytes(merge);
    magstore_merge_close(merge);
    magstore_reader_close(reader);
    return bytes;
}

/* Seconds a series of seeking each, in order or at random, and reading one column of it. */
static double seek_all(const struct magstore_place *place, bool in_order)
{
    struct mr_error err = MR_ERROR_INIT;
    struct mr_rng rng = {1};
    struct magstore_reader *reader;
    struct magstore_merge *merge;
    const uint32_t number = 2;
    size_t seeks = nseries < 10000 ? nseries : 10000;
    if (magstore_reader_open(place, &reader, &err) != MR_OK ||
        magstore_merge_open(&reader, 1, INT64_MIN, INT64_MAX, &number, 1, false, &merge) != MR_OK)
        die(err.text);
    double start = now();
    for (size_t i = 0; i < seeks; i++) {
        struct magstore_rows rows = {.count = 1};
        uint32_t series = (uint32_t)(in_order ? i : mr_rng_below(&rng, nseries));
        magstore_merge_seek(merge, series, INT64_MIN, INT64_MAX);
        while (rows.count != 0)
            if (magstore_merge_next(merge, MAGSTORE_BLOCK_ROWS, true, &series, &rows, &err) != MR_OK)
                die(err.text);
    }
    double took = (now() - start) / (double)seeks;
    magstore_merge_close(merge);
    magstore_reader_close(reader);
    return took;
}

/* Seconds of sealing so many bytes in pieces of that size. */
static double seal_alone(uint64_t bytes, size_t piece, bool unlock)
{
    struct seal_cipher *cipher;
    struct seal_key key;
    static char plain[1 << 20], sealed[(1 << 20) + SEAL_TAG_BYTES];
    memset(&key, 7, sizeof key);
    piece = piece < sizeof plain ? piece : sizeof plain;
    if (seal_cipher_new(&cipher) != MR_OK)
        die("no cipher");
    seal_lock(cipher, &key, 0, 1, MR_STR("place"), (struct mr_str){plain, piece}, sealed);
    double start = now();
    for (uint64_t done = 0; done < bytes; done += piece) {
        if (!unlock)
            seal_lock(cipher, &key, 0, 1, MR_STR("place"), (struct mr_str){plain, piece}, sealed);
        else if (!seal_unlock(cipher, &key, 0, 1, MR_STR("place"),
                              (struct mr_str){sealed, piece + SEAL_TAG_BYTES}, plain))
            die("does not open");
    }
    double took = now() - start;
    seal_cipher_free(cipher);
    return took;
}

/* Seconds a value of encoding and decoding blocks, without files and seals. */
static void codec_alone(double *encode, double *decode)
{
    struct magstore_scratch *scratch;
    static double back[MAGSTORE_BLOCK_ROWS];
    size_t n = nrows < MAGSTORE_BLOCK_ROWS ? nrows : MAGSTORE_BLOCK_ROWS, columns = nseries * COLUMNS;
    double encoding = 0, decoding = 0;
    if (magstore_scratch_new(&scratch) != MR_OK)
        die("out of memory");
    columns = columns < 200 ? columns : 200;
    for (size_t i = 0; i < columns; i++) {
        struct mr_buf out = MR_BUF_INIT;
        double start = now();
        if (magstore_encode_f64(scratch, walks + i * nrows, n, &out) != MR_OK)
            die("does not encode");
        double middle = now();
        if (magstore_decode_f64(scratch, mr_buf_view(&out), back, n) != MR_OK)
            die("does not decode");
        encoding += middle - start;
        decoding += now() - middle;
        mr_buf_release(&out);
    }
    magstore_scratch_free(scratch);
    *encode = encoding / (double)(n * columns);
    *decode = decoding / (double)(n * columns);
}

/* Seconds of making one segment of two, sealing and syncing included. */
static double merge_two(const struct magstore_place *place, const int64_t *first, const int64_t *second)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_place places[3] = {*place, *place, *place};
    struct magstore_reader *readers[2];
    struct magstore_writer *writer;
    struct magstore_merged merged;
    struct magstore_info info;
    size_t half = nrows / 2;
    for (uint64_t i = 0; i < 3; i++)
        places[i].number = place->number + 1 + i;
    (void)write_rows(&places[0], 0, half, first);
    (void)write_rows(&places[1], half, half, second);
    double start = now();
    if (magstore_reader_open(&places[0], &readers[0], &err) != MR_OK ||
        magstore_reader_open(&places[1], &readers[1], &err) != MR_OK ||
        magstore_writer_open(&places[2], &writer, &err) != MR_OK ||
        magstore_merge_into(readers, 2, INT64_MIN, INT64_MAX, writer, NULL, NULL, &merged, &err) != MR_OK ||
        magstore_writer_finish(writer, &info, &err) != MR_OK)
        die(err.text);
    double took = now() - start;
    magstore_reader_close(readers[0]);
    magstore_reader_close(readers[1]);
    return took;
}

static void measure_merges(const struct magstore_place *place)
{
    size_t half = nrows / 2;
    double values = (double)(nseries * half * 2 * COLUMNS), apart = 1e9, woven = 1e9;
    int64_t *even = malloc(nrows * sizeof *even), *odd = malloc(nrows * sizeof *odd);
    if (even == NULL || odd == NULL)
        die("out of memory");
    for (size_t r = 0; r < half; r++) {
        even[r] = times[2 * r];
        odd[r] = times[2 * r + 1];
    }
    for (int round = 0; half != 0 && round < ROUNDS; round++) {
        double a = merge_two(place, times, times + half), b = merge_two(place, even, odd);
        apart = a < apart ? a : apart;
        woven = b < woven ? b : woven;
    }
    if (half != 0)
        printf("merging two of two decimals: %.1f M/s one behind the other, %.1f M/s row by row\n",
               values / apart / 1e6, values / woven / 1e6);
    free(even);
    free(odd);
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static void measure(const struct magstore_place *place, const char *name, double unit)
{
    double values = (double)(nseries * nrows * COLUMNS), sum = 0;
    double encode = 1e9, decode = 1e9, one = 1e9, locking = 1e9, opening = 1e9, codec_in = 1e9,
           codec_out = 1e9;
    uint64_t size = 0, bytes = 0;
    make_walks(unit);
    for (int round = 0; round < ROUNDS; round++) {
        double t0 = now();
        size = write_rows(place, 0, nrows, times);
        double t1 = now();
        (void)read_segment(place, COLUMNS, &sum);
        double t2 = now();
        bytes = read_segment(place, 1, &sum);
        double t3 = now(), in, out;
        codec_alone(&in, &out);
        size_t piece = size / (size_t)(values / MAGSTORE_BLOCK_ROWS + 1);
        locking = least(locking, seal_alone(size, piece, false));
        opening = least(opening, seal_alone(size, piece, true));
        encode = least(encode, t1 - t0);
        decode = least(decode, t2 - t1);
        one = least(one, t3 - t2);
        codec_in = least(codec_in, in);
        codec_out = least(codec_out, out);
    }
    printf(
        "%-14s %.3f bytes a value  encode %5.1f M/s (codec %5.1f, sealing %4.1f %%)  decode %5.1f M/s (codec "
        "%5.1f, opening %4.1f %%)  one column of %d: %5.1f M/s, %.1f %% of the bytes\n",
        name, (double)size / values, values / encode / 1e6, 1e-6 / codec_in, locking / encode * 100,
        values / decode / 1e6, 1e-6 / codec_out, opening / decode * 100, COLUMNS,
        values / COLUMNS / one / 1e6, 100 * (double)bytes / (double)size);
    printf("%-14s seeking a series and reading a column of it: %.2f us in order, %.2f us at random%s\n", "",
           seek_all(place, true) * 1e6, seek_all(place, false) * 1e6,
           sum == 0.5 ? " " : ""); /* sum is used */
}

int main(int argc, char **argv)
{
    struct mr_error err = MR_ERROR_INIT;
    for (int c; (c = getopt(argc, argv, "s:r:")) != -1;) {
        if (c == 's')
            nseries = (size_t)atol(optarg);
        else if (c == 'r')
            nrows = (size_t)atol(optarg);
        else
            die("usage: mr_bench_segment [-s series] [-r rows] DIR");
    }
    if (optind + 1 != argc || nseries == 0 || nrows == 0)
        die("usage: mr_bench_segment [-s series] [-r rows] DIR");
    struct magstore_place place = {
        .io = &mr_io_posix, .dir = argv[optind], .database = 1, .table = 2, .number = 3};
    walks = malloc(nseries * COLUMNS * nrows * sizeof *walks);
    times = malloc(nrows * sizeof *times);
    if (walks == NULL || times == NULL)
        die("out of memory");
    for (size_t r = 0; r < nrows; r++)
        times[r] = INT64_C(1700000000000000000) + (int64_t)r * INT64_C(10000000000);
    if (seal_keyring_open(place.io, place.dir, &place.keyring, &err) != MR_OK)
        die(err.text);
    measure(&place, "whole numbers", 1);
    measure(&place, "two decimals", 100);
    measure_merges(&place);
    measure(&place, "full doubles", 0);
    seal_keyring_close(place.keyring);
    free(walks);
    free(times);
    return 0;
}
