/* bench/micro/wal_commit.c - what a commit costs: mr_bench_wal [options] DIR
 *
 *   -t threads   appenders (1)        -e bytes    of an entry (1000)
 *   -s seconds   of each part (3)     -w entries  each appender waits for durability after so many (1; 0:
 * never)
 *
 * Prints the parts one after the other: the disk alone (pwrite and fdatasync of 4 KiB into a growing and into
 * a zero-filled file), sealing alone (what a frame's encryption and checksum cost the log thread), an append
 * without waiting (the cost for the caller's CPU), the log as the options say, and a replay. The numbers in
 * docs/format/wal.md come from here. The keys are in DIR/bench-keys.
 */
#include "base/hash.h"
#include "wal/read.h"
#include "wal/wal.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLES (1u << 20)

static struct seal_keyring *keyring;

struct samples {
    uint32_t *ns;
    size_t count;
};

struct appender {
    pthread_t thread;
    struct wal *wal;
    struct samples waits;
    struct mr_str entry;
    unsigned wait_every;
    int64_t until;
    uint64_t appended, busy;
};

static int64_t now(void)
{
    return mr_clock_mono(&mr_clock_system);
}

static void die(const char *what)
{
    fprintf(stderr, "mr_bench_wal: %s\n", what);
    exit(1);
}

static struct samples samples_new(void)
{
    struct samples s = {malloc(SAMPLES * sizeof(uint32_t)), 0};
    if (s.ns == NULL)
        die("out of memory");
    return s;
}

static void add(struct samples *s, int64_t ns)
{
    if (s->count < SAMPLES)
        s->ns[s->count++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_samples(const char *what, struct samples *s)
{
    qsort(s->ns, s->count, sizeof *s->ns, ascending);
    if (s->count != 0)
        printf("%-34s n=%-8zu p50=%.3f ms  p99=%.3f ms  max=%.3f ms\n", what, s->count,
               s->ns[s->count / 2] / 1e6, s->ns[s->count * 99 / 100] / 1e6, s->ns[s->count - 1] / 1e6);
}

/* 4 KiB, sync, 4 KiB, sync: into a file that grows with each, or into one whose zeros are on disk already. */
static void disk_alone(const char *dir, bool zero_filled, double seconds)
{
    static char page[4096], zeros[1 << 20];
    char path[4096];
    snprintf(path, sizeof path, "%s/disk-alone.tmp", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        die("cannot make a file");
    memset(page, 'x', sizeof page);
    for (int64_t at = 0; zero_filled && at < 64 << 20; at += (int64_t)sizeof zeros)
        if (pwrite(fd, zeros, sizeof zeros, at) != (ssize_t)sizeof zeros)
            die("cannot fill a file");
    if (fdatasync(fd) < 0)
        die("cannot sync");
    struct samples s = samples_new();
    int64_t until = now() + (int64_t)(seconds * 1e9);
    for (int64_t at = 0; at < 64 << 20 && now() < until; at += 4096) {
        int64_t start = now();
        if (pwrite(fd, page, sizeof page, at) != 4096 || fdatasync(fd) < 0)
            die("cannot write");
        add(&s, now() - start);
    }
    print_samples(zero_filled ? "disk, 4 KiB into zero-filled file" : "disk, 4 KiB into growing file", &s);
    free(s.ns);
    close(fd);
    unlink(path);
}

static void *append_all(void *arg)
{
    struct appender *a = arg;
    while (now() < a->until) {
        int64_t start = now();
        for (unsigned n = a->wait_every != 0 ? a->wait_every : 100; n > 0;) {
            int status = wal_append(a->wal, a->entry, NULL, NULL);
            if (status == MR_OK) {
                n--;
                a->appended++;
            } else if (status == MR_EBUSY || status == MR_ENOSPC) {
                a->busy++;
                sched_yield();
            } else {
                die("append refused");
            }
        }
        if (a->wait_every != 0) {
            wal_flush(a->wal);
            add(&a->waits, now() - start);
        }
    }
    return NULL;
}

/* A frame with this payload, as wal_frame_seal does it, and how much of that is the checksum. */
static void sealing_alone(size_t payload)
{
    struct seal_cipher *cipher;
    unsigned char *bytes = calloc(1, payload + SEAL_TAG_BYTES);
    if (bytes == NULL || seal_cipher_new(&cipher) != MR_OK)
        die("out of memory");
    struct wal_segment_header segment = {.generation = 1};
    struct seal_key key = {{1}};
    uint64_t rounds = ((uint64_t)256 << 20) / (payload + 1000), sum = 0;
    int64_t start = now();
    for (uint64_t i = 0; i < rounds; i++) {
        struct wal_frame_header header = {.payload_bytes = (uint32_t)payload, .counter = i};
        wal_frame_seal(&segment, &header, cipher, &key, bytes);
    }
    double both = (double)(now() - start) / (double)rounds;
    start = now();
    for (uint64_t i = 0; i < rounds; i++)
        sum += mr_crc32c((uint32_t)i, bytes, payload + SEAL_TAG_BYTES);
    double crc = (double)(now() - start) / (double)rounds;
    char what[64];
    snprintf(what, sizeof what, "sealing alone, %zu bytes", payload);
    printf("%-34s %.0f ns, %.0f of it the checksum  (%.1f GB/s)%s\n", what, both, crc, (double)payload / both,
           sum == 0 ? " " : "");
    seal_cipher_free(cipher);
    free(bytes);
}

static void open_keys(const char *dir)
{
    struct mr_error err = MR_ERROR_INIT;
    char path[4096];
    snprintf(path, sizeof path, "%s/bench-keys", dir);
    mkdir(path, 0700);
    if (seal_keyring_open(&mr_io_posix, path, &keyring, &err) != MR_OK)
        die(err.text);
}

/* Entries that fit the queue, appended in one go: no waiting, no refusals, so the time is the caller's. */
static void append_alone(const char *dir, struct mr_str entry)
{
    struct wal_options o = {.io = &mr_io_posix,
                            .clock = &mr_clock_system,
                            .keyring = keyring,
                            .dir = dir,
                            .max_queue_bytes = (size_t)256 << 20};
    struct wal *wal;
    struct mr_error err = MR_ERROR_INIT;
    if (wal_open(&o, NULL, NULL, &wal, &err) != MR_OK)
        die(err.text);
    uint64_t n = ((uint64_t)32 << 20) / (entry.len + 1), taken = 0;
    if (n > 200000)
        n = 200000;
    for (int round = 0; round < 3; round++) { /* the last one runs on warm memory */
        int64_t start = now();
        for (uint64_t i = 0; i < n; i++)
            taken += wal_append(wal, entry, NULL, NULL) == MR_OK;
        int64_t took = now() - start;
        if (round == 2)
            printf("%-34s n=%-8llu %.0f ns each\n", "append alone", (unsigned long long)n,
                   (double)took / (double)n);
        wal_flush(wal);
    }
    if (taken != 3 * n)
        die("append refused");
    if (wal_trim(wal, UINT64_MAX, &err) != MR_OK)
        die(err.text);
    wal_close(wal);
}

static void the_log(const char *dir, struct mr_str entry, unsigned threads, unsigned wait_every,
                    double seconds)
{
    struct wal_options o = {.io = &mr_io_posix, .clock = &mr_clock_system, .keyring = keyring, .dir = dir};
    struct wal *wal;
    struct mr_error err = MR_ERROR_INIT;
    if (wal_open(&o, NULL, NULL, &wal, &err) != MR_OK)
        die(err.text);
    struct appender *a = calloc(threads, sizeof *a);
    struct samples all = samples_new();
    int64_t start = now();
    for (unsigned i = 0; i < threads; i++) {
        a[i] =
            (struct appender){.wal = wal, .entry = entry, .wait_every = wait_every, .waits = samples_new()};
        a[i].until = start + (int64_t)(seconds * 1e9);
        if (pthread_create(&a[i].thread, NULL, append_all, &a[i]) != 0)
            die("cannot start a thread");
    }
    uint64_t appended = 0, busy = 0;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(a[i].thread, NULL);
        appended += a[i].appended;
        busy += a[i].busy;
        for (size_t k = 0; k < a[i].waits.count; k++)
            add(&all, a[i].waits.ns[k]);
        free(a[i].waits.ns);
    }
    wal_flush(wal);
    double took = (double)(now() - start) / 1e9;
    struct wal_stats s;
    wal_stats(wal, &s);
    print_samples("log, append to durable", &all);
    printf("%-34s %.0f entries/s  %.1f MB/s  %.0f commits/s  %.1f entries/commit  sync mean=%.3f ms max=%.3f "
           "ms  "
           "busy=%llu\n",
           "log", (double)appended / took, (double)appended * (double)entry.len / took / 1e6,
           (double)s.frames / took, s.frames != 0 ? (double)s.entries / (double)s.frames : 0,
           s.syncs != 0 ? (double)s.sync_ns_total / (double)s.syncs / 1e6 : 0, (double)s.sync_ns_max / 1e6,
           (unsigned long long)busy);
    free(all.ns);
    free(a);
    if (wal_trim(wal, UINT64_MAX, &err) != MR_OK)
        die(err.text);
    wal_close(wal);
}

static int count_entry(void *ctx, uint64_t lsn, struct mr_str entry, struct mr_error *err)
{
    MR_UNUSED(lsn);
    MR_UNUSED(err);
    *(uint64_t *)ctx += entry.len;
    return MR_OK;
}

/* A quarter GiB written, then read as a start reads it. */
static void replay(const char *dir, struct mr_str entry)
{
    struct wal_options o = {.io = &mr_io_posix, .clock = &mr_clock_system, .keyring = keyring, .dir = dir};
    struct wal *wal;
    struct mr_error err = MR_ERROR_INIT;
    if (wal_open(&o, NULL, NULL, &wal, &err) != MR_OK)
        die(err.text);
    for (uint64_t bytes = 0; bytes < (uint64_t)256 << 20;) {
        if (wal_append(wal, entry, NULL, NULL) == MR_OK)
            bytes += entry.len;
        else
            sched_yield();
    }
    wal_close(wal);
    uint64_t bytes = 0;
    struct wal_recovery r;
    int64_t start = now();
    if (wal_recover(&mr_io_posix, dir, keyring, 0, count_entry, &bytes, &r, &err) != MR_OK)
        die(err.text);
    double took = (double)(now() - start) / 1e9;
    printf("%-34s %.0f MB/s  %.0f entries/s\n", "replay", (double)bytes / took / 1e6,
           (double)r.entries / took);
    wal_recovery_release(&r);
    if (wal_open(&o, NULL, NULL, &wal, &err) != MR_OK || wal_trim(wal, UINT64_MAX, &err) != MR_OK)
        die(err.text);
    wal_close(wal);
}

int main(int argc, char **argv)
{
    unsigned threads = 1, wait_every = 1;
    size_t bytes = 1000;
    double seconds = 3;
    for (int c; (c = getopt(argc, argv, "t:e:s:w:")) != -1;) {
        switch (c) {
        case 't':
            threads = (unsigned)atoi(optarg);
            break;
        case 'e':
            bytes = (size_t)atol(optarg);
            break;
        case 's':
            seconds = atof(optarg);
            break;
        case 'w':
            wait_every = (unsigned)atoi(optarg);
            break;
        default:
            die("usage: mr_bench_wal [-t threads] [-e bytes] [-s seconds] [-w entries] DIR");
        }
    }
    if (optind + 1 != argc || threads == 0)
        die("usage: mr_bench_wal [-t threads] [-e bytes] [-s seconds] [-w entries] DIR");
    char *entry = malloc(bytes + 1);
    if (entry == NULL)
        die("out of memory");
    memset(entry, 'e', bytes);
    disk_alone(argv[optind], false, seconds);
    disk_alone(argv[optind], true, seconds);
    open_keys(argv[optind]);
    static const size_t payloads[] = {1000, 8000, 64 << 10, 1 << 20};
    for (size_t i = 0; i < MR_ARRAY_LEN(payloads); i++)
        sealing_alone(payloads[i]);
    append_alone(argv[optind], (struct mr_str){entry, bytes});
    the_log(argv[optind], (struct mr_str){entry, bytes}, threads, wait_every, seconds);
    replay(argv[optind], (struct mr_str){entry, bytes});
    seal_keyring_close(keyring);
    free(entry);
    return 0;
}
