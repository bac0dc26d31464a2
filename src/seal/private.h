/* seal/private.h - what the files of this room share. Private. */
#ifndef MR_SEAL_PRIVATE_H
#define MR_SEAL_PRIVATE_H

#include "seal/format.h"

#include <pthread.h>

/* ---- pages.c: memory for keys. Starts as zeros. */
struct seal_pages {
    void *ptr;
    size_t bytes;
};
int seal_pages_new(size_t bytes, struct seal_pages *out); /* zeroed; MR_ENOMEM */
void seal_pages_free(struct seal_pages *pages);           /* wipes; empty ones are fine */

/* ---- table.c: data keys by name, ascending by (scope, generation). Starts as zeros. The set of keys in a
 * table that others read is not changed: a change makes a new one. Whether a key is at hand does change,
 * under both locks of the keyring. */
struct seal_name {
    uint64_t scope;
    uint32_t generation;
};
/* How a key is wrapped that the master key does not wrap. Never changes; counted. */
struct seal_wrap {
    unsigned refs; /* atomic */
    struct seal_wrapping by;
    struct mr_str blob;
    char bytes[]; /* what the views are of */
};
int seal_wrap_new(const struct seal_wrapping *by, struct mr_str blob, struct seal_wrap **out); /* MR_ENOMEM */
struct seal_wrap *seal_wrap_ref(struct seal_wrap *wrap);
void seal_wrap_unref(struct seal_wrap *wrap); /* NULL is fine */

/* Of one key. */
struct seal_state {
    struct seal_wrap *wrap; /* a reference; NULL: the master key wraps it */
    bool at_hand;
    enum mr_status why; /* when it is not: MR_EDENIED or MR_EIO */
    int64_t good, due;  /* monotonic: last unwrapped, next to be; 0: never, at once */
    int64_t pause;      /* before the next attempt while it is not at hand */
};
struct seal_table {
    struct seal_name *names;   /* owned */
    struct seal_state *states; /* owned, in the order of the names */
    struct seal_pages pages;   /* the keys, likewise */
    size_t count, room;
};
int seal_table_new(size_t room, struct seal_table *out); /* empty; MR_ENOMEM */
void seal_table_release(struct seal_table *table);
struct seal_key *seal_table_key(const struct seal_table *table, size_t index);
/* Behind the last one, in a table with room for it: at hand, wrapped by the master key. The key's bytes are
 * the caller's to fill in. */
struct seal_key *seal_table_add(struct seal_table *table, struct seal_name name);
int seal_name_compare(struct seal_name a, struct seal_name b);
/* How many names come before this one. */
size_t seal_table_find(const struct seal_table *table, struct seal_name name);
/* [start, end) of the scope's keys; empty: there is none. */
void seal_table_scope(const struct seal_table *table, uint64_t scope, size_t *start, size_t *end);
/* Copies of the keys [start, end), with their states. */
void seal_table_copy(const struct seal_table *from, size_t start, size_t end, struct seal_table *to);

/* ---- keyring_file.c */
/* The whole file; fresh nonces each time. MR_ENOMEM, MR_ELIMIT. */
int keyring_encode(const struct seal_table *table, const struct seal_key *master, struct seal_cipher *cipher,
                   struct mr_buf *out);
/* MR_ECORRUPT: says what is wrong with the file at `path`, and what that means. */
int keyring_decode(struct mr_str bytes, const char *path, const struct seal_key *master,
                   struct seal_cipher *cipher, struct seal_table *out, struct mr_error *err);
struct keyring_nonce keyring_fresh_nonce(void);
uint64_t keyring_counter(struct keyring_nonce nonce);

/* ---- keyring.c */
struct seal_keyring {
    const struct mr_io *io;
    char *dir;
    char *master_path, *keyring_path;
    struct seal_pages master; /* one struct seal_key */
    struct seal_outside outside;

    pthread_mutex_t refresh;    /* one refresh at a time; comes first */
    pthread_mutex_t change;     /* one change at a time, held while the disk works */
    struct seal_cipher *cipher; /* of the holder of `change` */

    pthread_mutex_t lock; /* of the table, for as long as a copy of a key takes; comes last */
    struct seal_table table;
};
/* Writes the table and shows it to others; takes it either way. Under `change`. */
int keyring_publish(struct seal_keyring *k, struct seal_table *next, struct mr_error *err);

/* ---- change.c */
/* As seal_fresh_adopt, unless the scope has a key by now. */
int keyring_adopt_first(struct seal_keyring *k, uint64_t scope, const struct seal_fresh *fresh,
                        struct mr_error *err);

/* ---- local.c: the files of keys */
/* MR_ENOENT: there is none. MR_EDENIED, MR_ECORRUPT, MR_EIO. */
int key_file_read(const struct mr_io *io, const char *path, struct seal_key *out, struct mr_error *err);
int key_file_make(const struct mr_io *io, const char *dir, const char *name, struct seal_key *out,
                  struct mr_error *err);
bool local_name_valid(struct mr_str name);
/* The named key's file; made when `make` and it is not there. MR_ENOENT otherwise. */
int local_key(const struct mr_io *io, const char *dir, struct mr_str name, bool make, struct seal_key *out,
              struct mr_error *err);
void local_wrap(const struct seal_key *by, struct seal_name name, struct mr_str key_name,
                const struct seal_key *key, struct seal_cipher *cipher, struct keyring_local *out);
bool local_unwrap(const struct seal_key *by, struct seal_name name, struct mr_str key_name,
                  struct mr_str blob, struct seal_cipher *cipher, struct seal_key *out) MR_MUST_USE;

#endif
