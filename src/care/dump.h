/* care/dump.h - what the files of a dump share. Private to the room. */
#ifndef MR_CARE_DUMP_H
#define MR_CARE_DUMP_H

#include "care/care.h"
#include "magstore/manifest.h"
#include "seal/seal.h"

struct dump {
    const struct care_dump *how;
    FILE *out;
    const char *dir, *name; /* of the file at hand */
    struct seal_keyring *keyring;
};

/* dump_files.c */
int care_dump_manifest(struct dump *dump, struct mr_error *err);
int care_dump_segment(struct dump *dump, uint64_t number, struct mr_error *err);
int care_dump_names(struct dump *dump, uint64_t number, struct mr_error *err);

#endif
