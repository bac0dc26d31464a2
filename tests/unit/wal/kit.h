/* tests/unit/wal/kit.h - what the log's suites share: entries that can be told apart, and what a replay
 * found. */
#ifndef MR_TESTS_WAL_KIT_H
#define MR_TESTS_WAL_KIT_H

#include "lib/check.h"
#include "wal/read.h"
#include "wal/wal.h"

/* Entry number `n`: its length and bytes follow from n alone. The view lasts until the next call of the
 * thread. */
struct mr_str kit_entry(uint64_t n);

/* Entries found by a replay, in order. Starts as zeros. */
struct kit_found {
    uint64_t first_lsn;
    size_t count;
    size_t cap;
    uint64_t *hashes; /* of the bytes of each */
    bool gap;         /* LSNs did not follow each other */
};
int kit_replay(void *found, uint64_t lsn, struct mr_str entry, struct mr_error *err);
void kit_found_release(struct kit_found *found);
/* True when what was found at `lsn` is entry number n. */
bool kit_found_is(const struct kit_found *found, uint64_t lsn, uint64_t n);
uint64_t kit_hash(struct mr_str entry);

/* The keyring of all suites: in memory, made at the first call, there until the process ends. */
struct seal_keyring *kit_keyring(void);

/* Small segments (64 KiB), no idle marks, kit_keyring(). */
struct wal_options kit_options(const struct mr_io *io, const char *dir);

/* Opens with the options; fails the test when it cannot. `found` may be NULL. */
struct wal *kit_open(const struct wal_options *options, struct kit_found *found);
/* Appends entry number n, waiting for room in the queue; fails the test on any other refusal. */
uint64_t kit_append(struct wal *wal, uint64_t n, struct wal_waiter *waiter);
/* Opens, checks that exactly entries first..last are there (numbers equal LSNs), closes. */
void kit_expect(const struct wal_options *options, uint64_t first, uint64_t last);

/* Recovery alone, which changes nothing. Fails the test on anything but `want`. */
void kit_recover(const struct mr_io *io, const char *dir, int want, struct kit_found *found,
                 struct mr_error *err);

/* Number of files in the directory. */
size_t kit_files(const struct mr_io *io, const char *dir);

#endif
