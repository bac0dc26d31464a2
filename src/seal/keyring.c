/* seal/keyring.c - the keyring: opening and asking.
 *
 * What changes the set of keys is in change.c, what brings keys to hand in refresh.c.
 */
#include "seal/private.h"

#include "base/rand.h"

#include <stdio.h>

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

static int write_table(struct seal_keyring *k, const struct seal_table *table, struct mr_error *err)
{
    struct mr_buf bytes = MR_BUF_INIT;
    int status =
        table->count > KEYRING_MAX_KEYS ? MR_ELIMIT : keyring_encode(table, master_of(k), k->cipher, &bytes);
    if (status == MR_ELIMIT)
        mr_error_set(err, MR_ELIMIT, "%s: no more keys than fit into %u bytes", k->keyring_path,
                     KEYRING_LIMIT);
    else if (status != MR_OK)
        mr_error_set(err, MR_ENOMEM, "out of memory writing %s", k->keyring_path);
    else
        status = mr_io_write_file_or_die(k->io, k->dir, KEYRING_NAME, mr_buf_view(&bytes), 0600, err);
    mr_buf_release(&bytes);
    return status;
}

/* Neither file is there, or only a master key: what a crash in the middle of the first start leaves, or one
 * brought along. If the keyring was lost instead, whatever was sealed under its keys will say that its key is
 * not there. */
static int make_files(struct seal_keyring *k, bool master, struct mr_error *err)
{
    /* The master key is durable before anything is wrapped by it. */
    int status = master ? MR_OK : key_file_make(k->io, k->dir, MASTER_NAME, k->master.ptr, err);
    return status == MR_OK ? write_table(k, &k->table, err) : status;
}

static int load(struct seal_keyring *k, struct mr_error *err)
{
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    int status = key_file_read(k->io, k->master_path, k->master.ptr, err);
    bool master = status == MR_OK;
    /* A start killed before this one may have left names that are not durable; nothing is built on such. */
    if (master)
        status = mr_io_sync_dir_or_die(k->io, k->dir, err);
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
    pthread_mutex_init(&k->refresh, NULL);
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

void seal_keyring_set_outside(struct seal_keyring *k, const struct seal_outside *outside)
{
    k->outside = *outside;
}

void seal_keyring_close(struct seal_keyring *k)
{
    if (k == NULL)
        return;
    seal_table_release(&k->table);
    seal_pages_free(&k->master);
    seal_cipher_free(k->cipher);
    pthread_mutex_destroy(&k->refresh);
    pthread_mutex_destroy(&k->change);
    pthread_mutex_destroy(&k->lock);
    mr_free(k->dir);
    mr_free(k->master_path);
    mr_free(k->keyring_path);
    mr_free(k);
}

int keyring_publish(struct seal_keyring *k, struct seal_table *next, struct mr_error *err)
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

/* ---- asking */

/* The status and text of a key that is not at hand. */
static int not_at_hand(const struct seal_state *state, struct mr_error *err)
{
    const struct seal_wrapping *by = &state->wrap->by;
    return mr_error_set(err, state->why, "the %skey " MR_STR_FMT " %s",
                        by->kind == SEAL_BY_LOCAL ? "local " : "", MR_STR_ARG(by->key),
                        state->why == MR_EIO ? "cannot be asked for now: its service does not answer"
                                             : "is disabled, gone, or not to be used by this server");
}

/* MR_ENOENT: not there. The key when it is at hand. Under `lock`. */
static int take(const struct seal_table *table, size_t i, struct seal_key *out, struct mr_error *err)
{
    if (!table->states[i].at_hand)
        return not_at_hand(&table->states[i], err);
    *out = *seal_table_key(table, i);
    return MR_OK;
}

static int newest(struct seal_keyring *k, uint64_t scope, uint32_t *generation, struct seal_key *out,
                  struct mr_error *err)
{
    size_t start, end;
    int status = MR_ENOENT;
    pthread_mutex_lock(&k->lock);
    seal_table_scope(&k->table, scope, &start, &end);
    if (start < end) {
        *generation = k->table.names[end - 1].generation;
        status = take(&k->table, end - 1, out, err);
    }
    pthread_mutex_unlock(&k->lock);
    return status;
}

/* The first key of a scope, if nobody else made it meanwhile. */
static int make_first(struct seal_keyring *k, uint64_t scope, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct seal_wrapping by = {SEAL_BY_MASTER, MR_STR(""), MR_STR("")};
    struct seal_fresh *fresh = NULL;
    int status = MR_OK;
    if (scope != SEAL_SCOPE_STORE && k->outside.wrapping != NULL)
        status = k->outside.wrapping(k->outside.ctx, scope, &arena, &by, err);
    if (status == MR_OK)
        status = seal_fresh_make(k, &by, &fresh, err);
    if (status == MR_OK)
        status = keyring_adopt_first(k, scope, fresh, err);
    seal_fresh_free(fresh);
    mr_arena_release(&arena);
    return status == MR_ENOENT ? (int)mr_error_set(err, MR_EDENIED, "nobody knows the key of scope %llu",
                                                   (unsigned long long)scope)
                               : status;
}

int seal_keyring_newest(struct seal_keyring *k, uint64_t scope, uint32_t *generation, struct seal_key *out,
                        struct mr_error *err)
{
    int status;
    /* Again when the scope was forgotten between the making and the asking. */
    while ((status = newest(k, scope, generation, out, err)) == MR_ENOENT)
        if ((status = make_first(k, scope, err)) != MR_OK)
            return status;
    return status;
}

int seal_keyring_get(struct seal_keyring *k, uint64_t scope, uint32_t generation, struct seal_key *out,
                     struct mr_error *err)
{
    struct seal_name name = {scope, generation};
    int status = MR_ENOENT;
    pthread_mutex_lock(&k->lock);
    size_t i = seal_table_find(&k->table, name);
    if (i < k->table.count && seal_name_compare(k->table.names[i], name) == 0)
        status = take(&k->table, i, out, err);
    pthread_mutex_unlock(&k->lock);
    if (status == MR_ENOENT)
        return mr_error_set(err, MR_ENOENT,
                            "%s has no key of scope %llu, generation %u: forgotten, or never there",
                            k->keyring_path, (unsigned long long)scope, generation);
    return status;
}

int seal_keyring_usable(struct seal_keyring *k, uint64_t scope, struct mr_error *err)
{
    size_t start, end;
    int status = MR_OK;
    pthread_mutex_lock(&k->lock);
    seal_table_scope(&k->table, scope, &start, &end);
    for (size_t i = start; i < end && status == MR_OK; i++)
        if (!k->table.states[i].at_hand)
            status = not_at_hand(&k->table.states[i], err);
    pthread_mutex_unlock(&k->lock);
    return status;
}

uint32_t seal_keyring_generation(struct seal_keyring *k, uint64_t scope)
{
    size_t start, end;
    pthread_mutex_lock(&k->lock);
    seal_table_scope(&k->table, scope, &start, &end);
    uint32_t generation = start < end ? k->table.names[end - 1].generation : 0;
    pthread_mutex_unlock(&k->lock);
    return generation;
}

bool seal_keyring_wrapped_by(struct seal_keyring *k, uint64_t scope, const struct seal_wrapping *by)
{
    size_t start, end;
    bool same = false;
    pthread_mutex_lock(&k->lock);
    seal_table_scope(&k->table, scope, &start, &end);
    if (start < end) {
        const struct seal_wrap *wrap = k->table.states[end - 1].wrap;
        same = wrap == NULL ? by->kind == SEAL_BY_MASTER
                            : wrap->by.kind == by->kind && mr_str_eq(wrap->by.key, by->key);
    }
    pthread_mutex_unlock(&k->lock);
    return same;
}

int seal_keyring_list(struct seal_keyring *k, struct mr_arena *arena, struct seal_entry **out, size_t *count)
{
    pthread_mutex_lock(&k->lock);
    const struct seal_table *t = &k->table;
    *count = 0;
    *out = MR_ARENA_ARRAY(arena, t->count + 1, struct seal_entry);
    for (size_t i = 0; *out != NULL && i < t->count; i++) {
        struct seal_entry *e = &(*out)[(*count)++];
        *e = (struct seal_entry){.scope = t->names[i].scope,
                                 .generation = t->names[i].generation,
                                 .newest = i + 1 == t->count || t->names[i + 1].scope != t->names[i].scope,
                                 .at_hand = t->states[i].at_hand,
                                 .by = {SEAL_BY_MASTER, MR_STR(""), MR_STR("")}};
        if (t->states[i].wrap != NULL) {
            e->by.kind = t->states[i].wrap->by.kind;
            e->by.key = mr_arena_dup(arena, t->states[i].wrap->by.key);
            e->by.binding = mr_arena_dup(arena, t->states[i].wrap->by.binding);
        }
    }
    pthread_mutex_unlock(&k->lock);
    return *out != NULL && !arena->failed ? MR_OK : MR_ENOMEM;
}
