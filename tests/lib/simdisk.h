/* tests/lib/simdisk.h - a disk in memory that can lose power.
 *
 * It is a struct mr_io with directories and files. Beside what programs see it keeps what is durable:
 *   - written sectors (512 bytes) and file sizes become durable by fdatasync or fsync of the file;
 *   - names (create, rename, unlink, mkdir, rmdir) become durable by fsync of their directory, and only by
 * that;
 *   - everything else is pending, and a power cut may keep or lose each pending item by itself, in any order.
 * That is harsher than any one file system and allowed by all of them.
 *
 * Every change is recorded, so one run yields as many crash states as wanted: simdisk_changes() is the clock
 * of the record, and simdisk_power_cut() builds a new disk from any moment of it.
 *
 *     struct simdisk *disk = simdisk_new();
 *     ... run the program on simdisk_io(disk), noting simdisk_changes(disk) when it promises something ...
 *     struct simdisk *after = simdisk_power_cut(disk, moment, SIMDISK_COIN, seed);
 *     ... what was promised up to `moment` must be on `after` ...
 *
 * Paths are absolute; "/" exists. Thread-safe; a program must have ended before its disk is freed. Memory
 * comes from libc directly, so that allocation faults hit the program and not its disk.
 */
#ifndef MR_TESTS_SIMDISK_H
#define MR_TESTS_SIMDISK_H

#include "base/io.h"

struct simdisk;

struct simdisk *simdisk_new(void);
void simdisk_free(struct simdisk *disk);
const struct mr_io *simdisk_io(struct simdisk *disk);

/* Changes recorded so far: a moment of the run. */
size_t simdisk_changes(const struct simdisk *disk);

/* What a power cut keeps of the pending items. */
enum simdisk_keep {
    SIMDISK_NONE,        /* nothing */
    SIMDISK_ALL,         /* everything: the kernel happened to be done */
    SIMDISK_COIN,        /* each by a toss, the coin itself drawn from the seed */
    SIMDISK_PREFIX,      /* the first so many */
    SIMDISK_ALL_BUT_ONE, /* all but one */
    SIMDISK_TORN,        /* each by a toss, and one sector is half old, half new */
    SIMDISK_KEEPS,       /* how many there are */
};
const char *simdisk_keep_name(enum simdisk_keep keep);

/* The disk after the power went at `moment` (at most simdisk_changes). Nothing is pending on it, no file is
 * open. */
struct simdisk *simdisk_power_cut(const struct simdisk *disk, size_t moment, enum simdisk_keep keep,
                                  uint64_t seed);

/* The disk after the program was killed at `moment`: all it did is there, what was pending still is.
 * `lose_writes`: the last sync before the kill failed as Linux does it - programs still see the pending
 * writes, in pages that count as clean, and no later sync brings them to the disk. */
struct simdisk *simdisk_kill(const struct simdisk *disk, size_t moment, bool lose_writes);

/* From now on files together may be this large; beyond it -ENOSPC. UINT64_MAX: no limit (as at first). */
void simdisk_set_limit(struct simdisk *disk, uint64_t bytes);

/* Writes what programs see below `path` into a directory of the real disk, to look at after a failure. */
void simdisk_export(struct simdisk *disk, const char *path, const char *to);

#endif
