/* seal/change.c - keys that come and go.
 *
 * A change makes a whole new table, writes it (all or nothing, durable), and only then shows it to others: no
 * key is given out that a restart would not find. When the write fails the file may already be the new one;
 * then it has a key nobody was given, or has lost keys that were to be forgotten.
 *
 * A service elsewhere is asked before any lock is taken.
 */
#include "seal/private.h"

#include "base/rand.h"

#include <fcntl.h>

struct seal_fresh {
    struct seal_pages pages; /* two keys: the data key, and for LOCAL what wraps it */
    struct seal_wrapping by;
    struct mr_arena arena; /* of by, and the blob */
    struct mr_str blob;    /* OUTSIDE */
};

static struct seal_key *fresh_key(const struct seal_fresh *fresh, size_t i)
{
    return (struct seal_key *)fresh->pages.ptr + i;
}

/* A local key whose file has gone is not made anew while something is wrapped by it. */
static bool local_in_use(struct seal_keyring *k, struct mr_str name)
{
    bool used = false;
    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->table.count; i++) {
        const struct seal_wrap *wrap = k->table.states[i].wrap;
        used = used || (wrap != NULL && wrap->by.kind == SEAL_BY_LOCAL && mr_str_eq(wrap->by.key, name));
    }
    pthread_mutex_unlock(&k->lock);
    return used;
}

static int fill_local(struct seal_keyring *k, struct seal_fresh *fresh, struct mr_error *err)
{
    mr_random_bytes(fresh_key(fresh, 0), SEAL_KEY_BYTES);
    bool used = local_in_use(k, fresh->by.key);
    pthread_mutex_lock(&k->change); /* nobody else makes the file meanwhile */
    int status = local_key(k->io, k->dir, fresh->by.key, !used, fresh_key(fresh, 1), err);
    pthread_mutex_unlock(&k->change);
    if (status == MR_ENOENT)
        return mr_error_set(err, MR_EDENIED, "the file of the local key " MR_STR_FMT " is not there",
                            MR_STR_ARG(fresh->by.key));
    return status;
}

static int fill_outside(struct seal_keyring *k, struct seal_fresh *fresh, struct mr_error *err)
{
    struct mr_buf blob = MR_BUF_INIT;
    int status = MR_EIO;
    if (k->outside.generate == NULL)
        return mr_error_set(err, MR_EIO, "no key service is configured");
    status = k->outside.generate(k->outside.ctx, &fresh->by, fresh_key(fresh, 0), &blob, err);
    if (status == MR_OK && (blob.len == 0 || blob.len > KEYRING_WRAP_MAX))
        status = mr_error_set(err, MR_EIO, "the key service gives a wrapped key of %zu bytes", blob.len);
    if (status == MR_OK) {
        fresh->blob = mr_arena_dup(&fresh->arena, mr_buf_view(&blob));
        status = fresh->blob.ptr != NULL ? MR_OK : MR_ENOMEM;
    }
    mr_buf_release(&blob);
    return status;
}

int seal_fresh_make(struct seal_keyring *k, const struct seal_wrapping *by, struct seal_fresh **out,
                    struct mr_error *err)
{
    *out = NULL;
    if (by->key.len > KEYRING_NAME_MAX || by->binding.len > KEYRING_NAME_MAX ||
        (by->kind == SEAL_BY_LOCAL && !local_name_valid(by->key)))
        return mr_error_set(err, MR_EINVAL, "a key cannot have that name");
    struct seal_fresh *fresh = mr_calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory making a data key");
    fresh->by = (struct seal_wrapping){by->kind, mr_arena_dup(&fresh->arena, by->key),
                                       mr_arena_dup(&fresh->arena, by->binding)};
    int status = MR_OK;
    if (fresh->arena.failed || seal_pages_new(2 * sizeof(struct seal_key), &fresh->pages) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory making a data key");
    else if (by->kind == SEAL_BY_MASTER)
        mr_random_bytes(fresh_key(fresh, 0), SEAL_KEY_BYTES);
    else
        status = by->kind == SEAL_BY_LOCAL ? fill_local(k, fresh, err) : fill_outside(k, fresh, err);
    if (status != MR_OK)
        seal_fresh_free(fresh);
    else
        *out = fresh;
    return status;
}

void seal_fresh_free(struct seal_fresh *fresh)
{
    if (fresh == NULL)
        return;
    seal_pages_free(&fresh->pages);
    mr_arena_release(&fresh->arena);
    mr_free(fresh);
}

/* How the key is wrapped under its name; NULL for the master key. */
static int wrap_of(struct seal_keyring *k, struct seal_name name, const struct seal_fresh *fresh,
                   struct seal_wrap **out)
{
    struct keyring_local local;
    *out = NULL;
    if (fresh->by.kind == SEAL_BY_MASTER)
        return MR_OK;
    struct mr_str blob = fresh->blob;
    if (fresh->by.kind == SEAL_BY_LOCAL) {
        local_wrap(fresh_key(fresh, 1), name, fresh->by.key, fresh_key(fresh, 0), k->cipher, &local);
        blob = (struct mr_str){(const char *)&local, sizeof local};
    }
    return seal_wrap_new(&fresh->by, blob, out);
}

/* Under `change`. */
static int adopt(struct seal_keyring *k, uint64_t scope, const struct seal_fresh *fresh, struct mr_error *err)
{
    const struct seal_table *now = &k->table; /* nobody else changes it */
    struct seal_name name = {scope, 1};
    size_t start, end;
    seal_table_scope(now, scope, &start, &end);
    if (start < end) {
        if (now->names[end - 1].generation == UINT32_MAX)
            return mr_error_set(err, MR_ELIMIT, "scope %llu has no more generations of keys",
                                (unsigned long long)scope);
        name.generation = now->names[end - 1].generation + 1;
    }
    struct seal_table next;
    struct seal_wrap *wrap;
    if (wrap_of(k, name, fresh, &wrap) != MR_OK || seal_table_new(now->count + 1, &next) != MR_OK) {
        seal_wrap_unref(wrap);
        return mr_error_set(err, MR_ENOMEM, "out of memory making a data key");
    }
    seal_table_copy(now, 0, end, &next);
    *seal_table_add(&next, name) = *fresh_key(fresh, 0);
    next.states[next.count - 1] = (struct seal_state){.wrap = wrap, .at_hand = true};
    seal_table_copy(now, end, now->count, &next);
    return keyring_publish(k, &next, err);
}

int seal_fresh_adopt(struct seal_keyring *k, uint64_t scope, const struct seal_fresh *fresh,
                     struct mr_error *err)
{
    pthread_mutex_lock(&k->change);
    int status = adopt(k, scope, fresh, err);
    pthread_mutex_unlock(&k->change);
    return status;
}

int keyring_adopt_first(struct seal_keyring *k, uint64_t scope, const struct seal_fresh *fresh,
                        struct mr_error *err)
{
    size_t start, end;
    pthread_mutex_lock(&k->change);
    seal_table_scope(&k->table, scope, &start, &end);
    int status = start < end ? MR_OK : adopt(k, scope, fresh, err);
    pthread_mutex_unlock(&k->change);
    return status;
}

int seal_keyring_rotate(struct seal_keyring *k, uint64_t scope, struct mr_error *err)
{
    struct seal_wrapping by = {SEAL_BY_MASTER, MR_STR(""), MR_STR("")};
    struct seal_wrap *wrap = NULL;
    struct seal_fresh *fresh = NULL;
    size_t start, end;
    pthread_mutex_lock(&k->lock);
    seal_table_scope(&k->table, scope, &start, &end);
    if (start < end)
        wrap = seal_wrap_ref(k->table.states[end - 1].wrap);
    pthread_mutex_unlock(&k->lock);
    int status = seal_fresh_make(k, wrap != NULL ? &wrap->by : &by, &fresh, err);
    if (status == MR_OK)
        status = seal_fresh_adopt(k, scope, fresh, err);
    seal_fresh_free(fresh);
    seal_wrap_unref(wrap);
    return status;
}

/* ---- going */

/* The table without [start, end). Under `change`. */
static int leave_out(struct seal_keyring *k, size_t start, size_t end, struct mr_error *err)
{
    struct seal_table next;
    if (seal_table_new(k->table.count - (end - start), &next) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory forgetting keys");
    seal_table_copy(&k->table, 0, start, &next);
    seal_table_copy(&k->table, end, k->table.count, &next);
    return keyring_publish(k, &next, err);
}

/* Overwrites the file that was the keyring until now, so that what it held is not to be found in the free
 * blocks of the disk. As far as the disk goes: one that never writes in place keeps the old blocks, and there
 * the master key is what counts. */
static int wipe(struct seal_keyring *k, int fd, struct mr_error *err)
{
    static const char zeros[4096];
    int64_t size = k->io->size(k->io->ctx, fd);
    int status = size < 0 ? MR_EIO : MR_OK;
    for (int64_t at = 0; at < size && status == MR_OK; at += (int64_t)sizeof zeros) {
        size_t n = size - at < (int64_t)sizeof zeros ? (size_t)(size - at) : sizeof zeros;
        status = mr_io_pwrite_full(k->io, fd, zeros, n, at, k->keyring_path, NULL);
    }
    if (status == MR_OK && k->io->fdatasync(k->io->ctx, fd) < 0)
        status = MR_EIO;
    return status == MR_OK ? MR_OK
                           : (int)mr_error_set(err, MR_EIO,
                                               "keys were forgotten, but %s as it was before could not be "
                                               "overwritten",
                                               k->keyring_path);
}

static int leave_out_and_wipe(struct seal_keyring *k, size_t start, size_t end, struct mr_error *err)
{
    int old = k->io->open(k->io->ctx, k->keyring_path, O_WRONLY, 0);
    if (old < 0)
        return mr_error_errno(err, mr_io_status(old), -old, "cannot open %s", k->keyring_path);
    int status = leave_out(k, start, end, err);
    if (status == MR_OK)
        status = wipe(k, old, err);
    k->io->close(k->io->ctx, old);
    return status;
}

int seal_keyring_retire(struct seal_keyring *k, uint64_t scope, uint32_t generation, struct mr_error *err)
{
    struct seal_name name = {scope, generation};
    size_t start, end;
    int status = MR_OK;
    pthread_mutex_lock(&k->change);
    seal_table_scope(&k->table, scope, &start, &end);
    size_t i = seal_table_find(&k->table, name);
    if (i + 1 < end && seal_name_compare(k->table.names[i], name) == 0)
        status = leave_out_and_wipe(k, i, i + 1, err);
    pthread_mutex_unlock(&k->change);
    return status;
}

int seal_keyring_forget(struct seal_keyring *k, uint64_t scope, struct mr_error *err)
{
    size_t start, end;
    int status = MR_OK;
    pthread_mutex_lock(&k->change);
    seal_table_scope(&k->table, scope, &start, &end);
    if (start < end)
        status = leave_out_and_wipe(k, start, end, err);
    pthread_mutex_unlock(&k->change);
    return status;
}
