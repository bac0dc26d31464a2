/* seal/refresh.c - bringing to hand what another key than the master key wraps, and letting go of it.
 *
 * One key after the other: who wraps it is asked under no lock, and the answer is taken under both, if the
 * key is still there. When the service does not answer once, it is not asked for other keys in the same
 * round: each would cost its time limit.
 */
#include "seal/private.h"

struct round {
    struct seal_keyring *keyring;
    int64_t now, life;
    bool silent; /* the service did not answer in this round */
    bool changed;
    struct seal_pages pages; /* two keys: what comes out, and what a local one is unwrapped with */
    struct seal_cipher *cipher;
};

static struct seal_key *room(const struct round *r, size_t i)
{
    return (struct seal_key *)r->pages.ptr + i;
}

static int unwrap_local(struct round *r, struct seal_name name, const struct seal_wrap *wrap)
{
    const struct seal_keyring *k = r->keyring;
    struct mr_error why = MR_ERROR_INIT;
    int status = local_key(k->io, k->dir, wrap->by.key, false, room(r, 1), &why);
    if (status == MR_OK && !local_unwrap(room(r, 1), name, wrap->by.key, wrap->blob, r->cipher, room(r, 0)))
        return MR_EDENIED;
    return status;
}

static int unwrap_outside(struct round *r, const struct seal_wrap *wrap)
{
    const struct seal_outside *o = &r->keyring->outside;
    struct mr_error why = MR_ERROR_INIT;
    if (r->silent || o->unwrap == NULL)
        return MR_EIO;
    int status = o->unwrap(o->ctx, &wrap->by, wrap->blob, room(r, 0), &why);
    r->silent = status == MR_EIO;
    return status;
}

/* What the state becomes; true when the key came to hand or left it. */
static bool judge(const struct round *r, struct seal_state *s, int status)
{
    bool before = s->at_hand;
    bool unknown = status == MR_EIO || status == MR_ENOMEM;
    if (status == MR_OK) {
        s->at_hand = true;
        s->good = r->now;
        s->pause = 0;
        s->due = r->now + r->life / 2;
        return !before;
    }
    s->pause = s->pause == 0                      ? SEAL_PAUSE_MIN_NS
               : s->pause * 2 < SEAL_PAUSE_MAX_NS ? s->pause * 2
                                                  : SEAL_PAUSE_MAX_NS;
    s->due = r->now + s->pause;
    if (unknown && before && s->good == 0)
        s->good = r->now; /* made since the last round */
    if (unknown && before && r->now - s->good < r->life) {
        if (s->due > s->good + r->life)
            s->due = s->good + r->life; /* to let go of it in time */
        return false;
    }
    s->why = unknown ? MR_EIO : MR_EDENIED;
    s->at_hand = false;
    return before;
}

static void apply(struct round *r, struct seal_name name, const struct seal_wrap *wrap, int status)
{
    struct seal_keyring *k = r->keyring;
    pthread_mutex_lock(&k->change);
    pthread_mutex_lock(&k->lock);
    size_t i = seal_table_find(&k->table, name);
    if (i < k->table.count && k->table.states[i].wrap == wrap) {
        struct seal_state *s = &k->table.states[i];
        r->changed = judge(r, s, status) || r->changed;
        if (status == MR_OK)
            *seal_table_key(&k->table, i) = *room(r, 0);
        else if (!s->at_hand)
            seal_key_wipe(seal_table_key(&k->table, i));
    }
    pthread_mutex_unlock(&k->lock);
    pthread_mutex_unlock(&k->change);
}

/* The next key after `name` that another key than the master key wraps; its name, a reference to its wrap,
 * and when it is due. */
static struct seal_wrap *next_wrapped(struct seal_keyring *k, struct seal_name *name, int64_t *due)
{
    struct seal_wrap *wrap = NULL;
    pthread_mutex_lock(&k->lock);
    size_t i = seal_table_find(&k->table, *name);
    if (i < k->table.count && seal_name_compare(k->table.names[i], *name) == 0)
        i++;
    while (i < k->table.count && k->table.states[i].wrap == NULL)
        i++;
    if (i < k->table.count) {
        struct seal_state *s = &k->table.states[i];
        *name = k->table.names[i];
        wrap = seal_wrap_ref(s->wrap);
        *due = s->due;
    }
    pthread_mutex_unlock(&k->lock);
    return wrap;
}

static int64_t next_due(struct seal_keyring *k)
{
    int64_t due = INT64_MAX;
    pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->table.count; i++)
        if (k->table.states[i].wrap != NULL && k->table.states[i].due < due)
            due = k->table.states[i].due;
    pthread_mutex_unlock(&k->lock);
    return due;
}

static bool make_ready(struct round *r)
{
    return (r->pages.ptr != NULL || seal_pages_new(2 * sizeof(struct seal_key), &r->pages) == MR_OK) &&
           (r->cipher != NULL || seal_cipher_new(&r->cipher) == MR_OK);
}

static int unwrap(struct round *r, struct seal_name name, const struct seal_wrap *wrap)
{
    if (!make_ready(r))
        return MR_ENOMEM;
    return wrap->by.kind == SEAL_BY_LOCAL ? unwrap_local(r, name, wrap) : unwrap_outside(r, wrap);
}

int64_t seal_keyring_refresh(struct seal_keyring *k, int64_t now, int64_t life_ns, bool *changed)
{
    struct round r = {.keyring = k, .now = now, .life = life_ns};
    struct seal_name name = {0, 0};
    struct seal_wrap *wrap;
    int64_t due = 0;
    pthread_mutex_lock(&k->refresh);
    while ((wrap = next_wrapped(k, &name, &due)) != NULL) {
        if (due <= now)
            apply(&r, name, wrap, unwrap(&r, name, wrap));
        seal_wrap_unref(wrap);
    }
    seal_cipher_free(r.cipher);
    seal_pages_free(&r.pages);
    due = next_due(k);
    pthread_mutex_unlock(&k->refresh);
    *changed = r.changed;
    return due;
}
