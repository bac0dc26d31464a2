/* auth/keys.h - the inside of a key set, for this room only.
 *
 * A pair remembers the signing keys of its last few scopes, so that a request costs one HMAC instead of six.
 * The memory is a fixed number of slots per pair, and only a request whose signature proved right may fill
 * one: strangers cannot push useful keys out. Slots are guarded by the pair's lock; all else is constant once
 * the set is published.
 */
#ifndef MR_AUTH_KEYS_H
#define MR_AUTH_KEYS_H

#include <pthread.h>

#include "auth/sigv4.h"

enum {
    AUTH_KEY_SLOTS = 4,
    AUTH_SCOPE_MAX = 120, /* "date/region/service"; a longer one is not remembered */
};

struct auth_key_slot {
    size_t scope_len; /* 0: free */
    char scope[AUTH_SCOPE_MAX];
    unsigned char key[AUTH_HASH_LEN];
};

struct auth_pair {
    struct mr_str id, secret, user; /* owned copies */
    struct mr_str token;            /* MR_STR_NULL: a long-term pair */
    int64_t expires_ns;             /* 0: never */
    bool root;
    bool nobody; /* stands in for unknown ids; its random secret is known to no one */

    pthread_mutex_t lock;
    struct auth_key_slot slots[AUTH_KEY_SLOTS];
    unsigned next_slot;
};

/* The pair with this id, else the stand-in; never NULL. */
struct auth_pair *auth_keys_find(const struct auth_keys *keys, struct mr_str id);

/* A pair for one verification only, with a lock of its own; nothing is remembered in it. */
void auth_pair_borrow(struct auth_pair *pair, struct mr_str id, struct mr_str secret);

/* The signing key of the scope, from a slot or derived. */
int auth_pair_key(struct auth_pair *pair, const struct auth_scope *scope,
                  unsigned char out[static AUTH_HASH_LEN]);
/* Keeps it for the next request; does nothing when it is there already. */
void auth_pair_remember(struct auth_pair *pair, const struct auth_scope *scope,
                        const unsigned char key[static AUTH_HASH_LEN]);

#endif
