/* tests/unit/magstore/manifest_kit.h - a directory of made-up store files for the tests of manifests. */
#ifndef MR_TESTS_MANIFEST_KIT_H
#define MR_TESTS_MANIFEST_KIT_H

#include "lib/check.h"

#include "magstore/manifest.h"

/* A file whose fields all follow from its number; every third one holds names. */
struct magstore_file manifest_kit_file(uint64_t number);
/* Adds files first, first + 1, ... and raises next_file. */
void manifest_kit_add(struct magstore_manifest *m, uint64_t first, size_t count);
/* Creates the file on disk as a writer does: temporary name, sync, rename, sync of the directory. */
void manifest_kit_create(const struct mr_io *io, const char *dir, uint64_t number);
bool manifest_kit_is_there(const struct mr_io *io, const char *dir, const char *name);
bool manifest_kit_file_is_there(const struct mr_io *io, const char *dir, uint64_t number);
/* Any bytes under any name, without ceremony. */
void manifest_kit_put(const struct mr_io *io, const char *dir, const char *name, struct mr_str bytes);
bool manifest_kit_same(const struct magstore_manifest *a, const struct magstore_manifest *b);
size_t manifest_kit_count(const struct mr_io *io, const char *dir, const char *prefix);

#endif
