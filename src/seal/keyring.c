/* seal/keyring.c - the keyring: opening, asking, changing.
 *
 * A change makes a whole new table, writes it (all or nothing, durable), and only then shows it to others:
 * no key is given out that a restart would not find. When the write fails the file may already be the new
 * one; then it has a key nobody was given, or has lost keys that were to be forgotten.
 *
 * Locks: `change` lets one change happen at a time and is held while the disk works; `lock` guards the table
 * for as long as a copy of a key takes. `change` comes first.
 */
#include "seal/private.h"

#include "base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct seal_keyring {
    const struct mr_io *io;
    char *dir;
    char *master_path, *keyring_path;
    struct seal_pages master; /* one struct seal_key */

    pthread_mutex_t change;
    struct seal_cipher *cipher; /* of the holder of `change` */

    pthread_mutex_t lock;
    struct seal_table table;
};

static const struct seal_key *master_of(const struct seal_keyring *k)
{
    return k->master.ptr;
}

static char *join(const char *dir, const char *name)
{
    struct mr_buf path = MR_BUF_INIT;
    mr_buf_printf(&path, "%s/%s", dir, name);
    mr_buf_char(&path, '\0');
    if (!mr_buf_ok(&path))
        mr_buf_release(&path);
    return path.ptr;
}

/* MR_ENOENT: there is none. */
static int read_master(struct seal_keyring *k, struct mr_error *err)
{
    struct stat st;
    int fd = k->io->open(k->io->ctx, k->master_path, O_RDONLY, 0);
    if (fd == -ENOENT)
        return MR_ENOENT;
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot open %s", k->master_path);
    int status = MR_OK;
    int64_t size = k->io->size(k->io->ctx, fd);
    /* The mode is asked of the system: the table has no call for it. A disk in memory has descriptors the
     * system does not know, and no modes. */
    if (fstat(fd, &st) == 0 && (st.st_mode & 077) != 0)
        status = mr_error_set(err, MR_EDENIED,
                              "%s can be read by others (mode %03o): make it 600, and consider its key known",
                              k->master_path, (unsigned)st.st_mode & 0777);
    else if (size < 0)
        status = mr_error_errno(err, MR_EIO, (int)-size, "cannot stat %s", k->master_path);
    else if (size != SEAL_KEY_BYTES)
        status =
            mr_error_set(err, MR_ECORRUPT,
                         "%s: damaged: has %lld bytes, a master key has %d. Put back a copy of it; without "
                         "it nothing stored can be read",
                         k->master_path, (long long)size, SEAL_KEY_BYTES);
    else
        status = mr_io_pread_full(k->io, fd, k->master.ptr, SEAL_KEY_BYTES, 0, k->master_path, err);
    k->io->close(k->io->ctx, fd);
    return status;
}

static int write_table(struct seal_keyring *k, const struct seal_table *table, struct mr_error *err)
{
    struct mr_buf bytes = MR_BUF_INIT;
    int status = MR_OK;
    if (table->count > KEYRING_MAX_KEYS)
        status = mr_error_set(err, MR_ELIMIT, "%s: no more than %zu keys", k->keyring_path,
                              (size_t)KEYRING_MAX_KEYS);
    else if (keyring_encode(table, master_of(k), k->cipher, &bytes) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory writing %s", k->keyring_path);
    else
        status = mr_io_write_file(k->io, k->dir, KEYRING_NAME, mr_buf_view(&bytes), 0600, err);
    mr_buf_release(&bytes);
    return status;
}

/* The first start: the master key, durable before anything is wrapped by it. */
static int make_master(struct seal_keyring *k, struct mr_error *err)
{
    mr_random_bytes(k->master.ptr, SEAL_KEY_BYTES);
    struct mr_str bytes = {k->master.ptr, SEAL_KEY_BYTES};
    return mr_io_write_file(k->io, k->dir, MASTER_NAME, bytes, 0600, err);
}

/* Neither file is there, or only a master key: what a crash in the middle of the first start leaves, or one
 * brought along. If the keyring was lost instead, whatever was sealed under its keys will say that its key is
 * not there. */
static int make_files(struct seal_keyring *k, bool master, struct mr_error *err)
{
    int status = master ? MR_OK : make_master(k, err);
    return status == MR_OK ? write_table(k, &k->table, err) : status;
}

static int load(struct seal_keyring *k, struct mr_error *err)
{
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    int status = read_master(k, err);
    bool master = status == MR_OK;
    /* A start killed before this one may have left names that are not durable; nothing is built on such. */
    if (master)
        status = mr_io_sync_dir(k->io, k->dir, err);
    if (status != MR_OK && status != MR_ENOENT)
        return status;
    status = mr_io_read_file(k->io, k->keyring_path, KEYRING_LIMIT, &bytes, &why);
    if (status == MR_ENOENT)
        status = make_files(k, master, err);
    else if (status != MR_OK)
        status =
            mr_error_set(err, status == MR_ELIMIT ? MR_ECORRUPT : (enum mr_status)status, "%s", why.text);
    else if (!master)
        status =
            mr_error_set(err, MR_ECORRUPT,
                         "%s is there and %s is not: without the master key no data key can be unwrapped "
                         "and nothing stored can be read; put it back",
                         k->keyring_path, k->master_path);
    else
        status =
            keyring_decode(mr_buf_view(&bytes), k->keyring_path, master_of(k), k->cipher, &k->table, err);
    mr_buf_release(&bytes);
    return status;
}

int seal_keyring_open(const struct mr_io *io, const char *dir, struct seal_keyring **out,
                      struct mr_error *err)
{
    *out = NULL;
    struct seal_keyring *k = mr_calloc(1, sizeof *k);
    if (k == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening the keyring in %s", dir);
    k->io = io;
    pthread_mutex_init(&k->change, NULL);
    pthread_mutex_init(&k->lock, NULL);
    k->dir = mr_strndup(dir, strlen(dir));
    k->master_path = join(dir, MASTER_NAME);
    k->keyring_path = join(dir, KEYRING_NAME);
    int status;
    if (k->dir == NULL || k->master_path == NULL || k->keyring_path == NULL ||
        seal_pages_new(sizeof(struct seal_key), &k->master) != MR_OK || seal_cipher_new(&k->cipher) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory opening the keyring in %s", dir);
    else
        status = load(k, err);
    if (status != MR_OK)
        seal_keyring_close(k);
    else
        *out = k;
    return status;
}

void seal_keyring_close(struct seal_keyring *k)
{
    if (k == NULL)
        return;
    seal_table_release(&k->table);
    seal_pages_free(&k->master);
    seal_cipher_free(k->cipher);
    pthread_mutex_destroy(&k->change);
    pthread_mutex_destroy(&k->lock);
    mr_free(k->dir);
    mr_free(k->master_path);
    mr_free(k->keyring_path);
    mr_free(k);
}

/* Writes the table and shows it to others; takes it either way. Under `change`. */
static int publish(struct seal_keyring *k, struct seal_table *next, struct mr_error *err)
{
    int status = write_table(k, next, err);
    if (status == MR_OK) {
        pthread_mutex_lock(&k->lock);
        struct seal_table old = k->table;
        k->table = *next;
        *next = old;
        pthread_mutex_unlock(&k->lock);
    }
    seal_table_release(next);
    return status;
}

static void copy_keys(const struct seal_table *from, size_t start, size_t end, struct seal_table *to)
{
    for (size_t i = start; i < end; i++)
        *seal_table_add(to, from->names[i]) = *seal_table_key(from, i);
}

/* The scope's newest key is in front of this index, if any is. */
static size_t end_of(const struct seal_table *table, uint64_t scope)
{
    size_t end = seal_table_find(table, (struct seal_name){scope, UINT32_MAX});
    if (end < table->count && table->names[end].scope == scope)
        end++;
    return end;
}

static bool has_scope(const struct seal_table *table, uint64_t scope, size_t end)
{
    return end > 0 && table->names[end - 1].scope == scope;
}

/* Under `change`. */
static int add_generation(struct seal_keyring *k, uint64_t scope, struct mr_error *err)
{
    const struct seal_table *now = &k->table; /* nobody else changes it */
    size_t end = end_of(now, scope);
    struct seal_name name = {scope, 1};
    if (has_scope(now, scope, end)) {
        if (now->names[end - 1].generation == UINT32_MAX)
            return mr_error_set(err, MR_ELIMIT, "scope %llu has no more generations of keys",
                                (unsigned long long)scope);
        name.generation = now->names[end - 1].generation + 1;
    }
    struct seal_table next;
    if (seal_table_new(now->count + 1, &next) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory making a data key");
    copy_keys(now, 0, end, &next);
    mr_random_bytes(seal_table_add(&next, name)->bytes, SEAL_KEY_BYTES);
    copy_keys(now, end, now->count, &next);
    return publish(k, &next, err);
}

static bool newest(struct seal_keyring *k, uint64_t scope, uint32_t *generation, struct seal_key *out)
{
    pthread_mutex_lock(&k->lock);
    size_t end = end_of(&k->table, scope);
    bool found = has_scope(&k->table, scope, end);
    if (found) {
        *generation = k->table.names[end - 1].generation;
        *out = *seal_table_key(&k->table, end - 1);
    }
    pthread_mutex_unlock(&k->lock);
    return found;
}

int seal_keyring_newest(struct seal_keyring *k, uint64_t scope, uint32_t *generation, struct seal_key *out,
                        struct mr_error *err)
{
    if (newest(k, scope, generation, out))
        return MR_OK;
    int status = MR_OK;
    pthread_mutex_lock(&k->change);
    if (!newest(k, scope, generation, out)) { /* nobody made one while this waited */
        status = add_generation(k, scope, err);
        if (status == MR_OK)
            MR_ASSERT(newest(k, scope, generation, out));
    }
    pthread_mutex_unlock(&k->change);
    return status;
}

int seal_keyring_get(struct seal_keyring *k, uint64_t scope, uint32_t generation, struct seal_key *out,
                     struct mr_error *err)
{
    struct seal_name name = {scope, generation};
    pthread_mutex_lock(&k->lock);
    size_t i = seal_table_find(&k->table, name);
    bool found = i < k->table.count && seal_name_compare(k->table.names[i], name) == 0;
    if (found)
        *out = *seal_table_key(&k->table, i);
    pthread_mutex_unlock(&k->lock);
    if (!found)
        return mr_error_set(err, MR_ENOENT,
                            "%s has no key of scope %llu, generation %u: forgotten, or never there",
                            k->keyring_path, (unsigned long long)scope, generation);
    return MR_OK;
}

int seal_keyring_rotate(struct seal_keyring *k, uint64_t scope, struct mr_error *err)
{
    pthread_mutex_lock(&k->change);
    int status = add_generation(k, scope, err);
    pthread_mutex_unlock(&k->change);
    return status;
}

int seal_keyring_forget(struct seal_keyring *k, uint64_t scope, struct mr_error *err)
{
    int status = MR_OK;
    pthread_mutex_lock(&k->change);
    size_t start = seal_table_find(&k->table, (struct seal_name){scope, 0}), end = end_of(&k->table, scope);
    if (start < end) {
        struct seal_table next;
        if (seal_table_new(k->table.count - (end - start), &next) != MR_OK) {
            status = mr_error_set(err, MR_ENOMEM, "out of memory forgetting keys");
        } else {
            copy_keys(&k->table, 0, start, &next);
            copy_keys(&k->table, end, k->table.count, &next);
            status = publish(k, &next, err);
        }
    }
    pthread_mutex_unlock(&k->change);
    return status;
}
