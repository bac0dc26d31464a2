#include "auth/keys.h"

#include <openssl/crypto.h>

#include "base/rand.h"

struct auth_keys {
    struct auth_pair **pairs; /* owned, sorted by id */
    size_t n, cap;
    struct auth_pair *nobody;
};

bool auth_id_valid(struct mr_str id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!auth_uri_plain(id.ptr[i]))
            return false;
    return id.len > 0 && id.len <= AUTH_MAX_ID;
}

bool auth_region_valid(struct mr_str region)
{
    for (size_t i = 0; i < region.len; i++) {
        char c = region.ptr[i];
        bool inner = i > 0 && i + 1 < region.len;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && inner)))
            return false;
    }
    return region.len > 0 && region.len <= AUTH_MAX_REGION && region.ptr[0] >= 'a';
}

static void secret_free(struct mr_str s)
{
    char *owned = (char *)(uintptr_t)s.ptr; /* ours: made by copy() */
    if (owned != NULL)
        OPENSSL_cleanse(owned, s.len);
    mr_free(owned);
}

static void pair_free(struct auth_pair *pair)
{
    if (pair == NULL)
        return;
    secret_free(pair->id);
    secret_free(pair->user);
    secret_free(pair->secret);
    secret_free(pair->token);
    OPENSSL_cleanse(pair->slots, sizeof pair->slots);
    pthread_mutex_destroy(&pair->lock);
    mr_free(pair);
}

static bool copy(struct mr_str from, struct mr_str *to)
{
    if (from.ptr == NULL)
        return true;
    *to = (struct mr_str){mr_strndup(from.ptr, from.len), from.len};
    return to->ptr != NULL;
}

static struct auth_pair *pair_new(struct mr_str user, struct mr_str id, struct mr_str secret,
                                  struct mr_str token)
{
    struct auth_pair *pair = mr_calloc(1, sizeof *pair);
    if (pair == NULL)
        return NULL;
    pthread_mutex_init(&pair->lock, NULL); /* cannot fail with default attributes on Linux */
    if (copy(user, &pair->user) && copy(id, &pair->id) && copy(secret, &pair->secret) &&
        copy(token, &pair->token))
        return pair;
    pair_free(pair);
    return NULL;
}

int auth_keys_new(struct auth_keys **out)
{
    *out = NULL;
    struct auth_keys *keys = mr_calloc(1, sizeof *keys);
    if (keys == NULL)
        return MR_ENOMEM;
    char secret[40];
    mr_random_bytes(secret, sizeof secret);
    keys->nobody =
        pair_new(MR_STR("nobody"), MR_STR(""), (struct mr_str){secret, sizeof secret}, MR_STR_NULL);
    OPENSSL_cleanse(secret, sizeof secret);
    if (keys->nobody == NULL) {
        mr_free(keys);
        return MR_ENOMEM;
    }
    keys->nobody->nobody = true;
    *out = keys;
    return MR_OK;
}

void auth_keys_free(struct auth_keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < keys->n; i++)
        pair_free(keys->pairs[i]);
    pair_free(keys->nobody);
    mr_free(keys->pairs);
    mr_free(keys);
}

size_t auth_keys_count(const struct auth_keys *keys)
{
    return keys->n;
}

/* Index of the id, or where it would go. */
static size_t position(const struct auth_keys *keys, struct mr_str id, bool *found)
{
    size_t low = 0, high = keys->n;
    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = mr_str_cmp(keys->pairs[mid]->id, id);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct auth_pair *auth_keys_find(const struct auth_keys *keys, struct mr_str id)
{
    bool found;
    size_t at = position(keys, id, &found);
    return found ? keys->pairs[at] : keys->nobody;
}

int auth_keys_add(struct auth_keys *keys, struct mr_str user, struct mr_str access_key_id,
                  struct mr_str secret, struct mr_str session_token, int64_t expires_ns, bool root,
                  struct mr_error *err)
{
    if (user.len == 0)
        return mr_error_set(err, MR_EINVAL, "an access key needs a user name");
    if (!auth_id_valid(access_key_id))
        return mr_error_set(err, MR_EINVAL, "an access key id has 1 to %d characters of A-Z a-z 0-9 - _ . ~",
                            AUTH_MAX_ID);
    if (secret.len == 0 || secret.len > AUTH_MAX_SECRET)
        return mr_error_set(err, MR_EINVAL, "a secret access key has 1 to %d bytes", AUTH_MAX_SECRET);
    bool found;
    size_t at = position(keys, access_key_id, &found);
    if (found)
        return mr_error_set(err, MR_EEXIST, "access key id " MR_STR_FMT " is there already",
                            MR_STR_ARG(access_key_id));
    struct mr_str token = session_token.len > 0 ? session_token : MR_STR_NULL;
    struct auth_pair *pair = pair_new(user, access_key_id, secret, token);
    if (pair == NULL ||
        mr_grow((void **)&keys->pairs, &keys->cap, keys->n + 1, sizeof *keys->pairs) != MR_OK) {
        pair_free(pair);
        return mr_error_set(err, MR_ENOMEM, "no memory for another access key");
    }
    pair->expires_ns = expires_ns;
    pair->root = root;
    memmove(keys->pairs + at + 1, keys->pairs + at, (keys->n - at) * sizeof *keys->pairs);
    keys->pairs[at] = pair;
    keys->n++;
    return MR_OK;
}

/* "date/region/service"; 0 when it does not fit a slot. */
static size_t scope_text(const struct auth_scope *scope, char out[static AUTH_SCOPE_MAX])
{
    size_t len = scope->date.len + scope->region.len + scope->service.len + 2;
    if (len > AUTH_SCOPE_MAX)
        return 0;
    char *p = mempcpy(out, scope->date.ptr, scope->date.len);
    *p++ = '/';
    p = mempcpy(p, scope->region.ptr, scope->region.len);
    *p++ = '/';
    memcpy(p, scope->service.ptr, scope->service.len);
    return len;
}

static struct auth_key_slot *slot_of(struct auth_pair *pair, const char *scope, size_t len)
{
    for (size_t i = 0; len > 0 && i < AUTH_KEY_SLOTS; i++)
        if (pair->slots[i].scope_len == len && memcmp(pair->slots[i].scope, scope, len) == 0)
            return &pair->slots[i];
    return NULL;
}

void auth_pair_borrow(struct auth_pair *pair, struct mr_str id, struct mr_str secret)
{
    *pair = (struct auth_pair){.id = id, .secret = secret, .lock = PTHREAD_MUTEX_INITIALIZER};
}

int auth_pair_key(struct auth_pair *pair, const struct auth_scope *scope,
                  unsigned char out[static AUTH_HASH_LEN])
{
    char text[AUTH_SCOPE_MAX];
    size_t len = scope_text(scope, text);
    pthread_mutex_lock(&pair->lock);
    const struct auth_key_slot *slot = slot_of(pair, text, len);
    if (slot != NULL)
        memcpy(out, slot->key, AUTH_HASH_LEN);
    pthread_mutex_unlock(&pair->lock);
    return slot != NULL ? MR_OK : auth_signing_key(pair->secret, scope, out);
}

void auth_pair_remember(struct auth_pair *pair, const struct auth_scope *scope,
                        const unsigned char key[static AUTH_HASH_LEN])
{
    char text[AUTH_SCOPE_MAX];
    size_t len = scope_text(scope, text);
    if (len == 0)
        return;
    pthread_mutex_lock(&pair->lock);
    if (slot_of(pair, text, len) == NULL) {
        struct auth_key_slot *slot = &pair->slots[pair->next_slot++ % AUTH_KEY_SLOTS];
        slot->scope_len = len;
        memcpy(slot->scope, text, len);
        memcpy(slot->key, key, AUTH_HASH_LEN);
    }
    pthread_mutex_unlock(&pair->lock);
}
