/* seal/private.h - what the files of this room share. Private. */
#ifndef MR_SEAL_PRIVATE_H
#define MR_SEAL_PRIVATE_H

#include "seal/format.h"

/* ---- pages.c: memory for keys. Starts as zeros. */
struct seal_pages {
    void *ptr;
    size_t bytes;
};
int seal_pages_new(size_t bytes, struct seal_pages *out); /* zeroed; MR_ENOMEM */
void seal_pages_free(struct seal_pages *pages);           /* wipes; empty ones are fine */

/* ---- table.c: data keys by name, ascending by (scope, generation). Starts as zeros. A table that others
 * read is not changed: a change makes a new one. */
struct seal_name {
    uint64_t scope;
    uint32_t generation;
};
struct seal_table {
    struct seal_name *names; /* owned */
    struct seal_pages pages; /* the keys, in the order of the names */
    size_t count, room;
};
int seal_table_new(size_t room, struct seal_table *out); /* empty; MR_ENOMEM */
void seal_table_release(struct seal_table *table);
struct seal_key *seal_table_key(const struct seal_table *table, size_t index);
/* Behind the last one, in a table with room for it. The key's bytes are the caller's to fill in. */
struct seal_key *seal_table_add(struct seal_table *table, struct seal_name name);
int seal_name_compare(struct seal_name a, struct seal_name b);
/* How many names come before this one. */
size_t seal_table_find(const struct seal_table *table, struct seal_name name);

/* ---- keyring_file.c */
/* The whole file; fresh nonces each time. MR_ENOMEM. */
int keyring_encode(const struct seal_table *table, const struct seal_key *master, struct seal_cipher *cipher,
                   struct mr_buf *out);
/* MR_ECORRUPT: says what is wrong with the file at `path`, and what that means. */
int keyring_decode(struct mr_str bytes, const char *path, const struct seal_key *master,
                   struct seal_cipher *cipher, struct seal_table *out, struct mr_error *err);

#endif
