/* api/keys.h - what the control plane asks of whoever keeps the keys of databases (server/keys.h does).
 *
 * Statuses of resolve and prepare: MR_ENOENT (no such key), MR_EINVAL (there, and not to be used), MR_EDENIED
 * (not by this server), MR_EIO (its service does not answer), MR_ENOMEM, or that of a disk; the text is for
 * people and holds no secret. Calls may wait for a disk or a service. Thread-safe.
 */
#ifndef MR_API_KEYS_H
#define MR_API_KEYS_H

#include "base/base.h"

struct seal_fresh;

struct api_keys {
    void *ctx; /* NULL and the calls too: nobody keeps keys (tests of the control plane) */
    /* What a database is to remember of the key it was given: an identifier that means the same for good. */
    int (*resolve)(void *ctx, struct mr_str key, struct mr_arena *arena, struct mr_str *out,
                   struct mr_error *err);
    /* A data key under that key, for a database of that name; NULL when nothing needs to be made now. */
    int (*prepare)(void *ctx, struct mr_str key, struct mr_str database, struct seal_fresh **out,
                   struct mr_error *err);
    /* Makes it the database's newest, durably. It stays the caller's to discard. */
    int (*adopt)(void *ctx, uint64_t database_id, const struct seal_fresh *fresh, struct mr_error *err);
    void (*discard)(struct seal_fresh *fresh); /* NULL is fine */
    /* Are the database's newest files under that key already, as they would be under a new one of it? */
    bool (*has)(void *ctx, uint64_t database_id, struct mr_str key);
    /* Its data cannot be read any more, by anybody, once this has returned. */
    int (*forget)(void *ctx, uint64_t database_id, struct mr_error *err);
};

#endif
