/* ClientToken (query-api reference 4.3): the same call within five minutes gets the same answer, another call
 * under the token is refused until four hours are over. SDKs send a fresh token with every call, so what is
 * kept is bounded: 16 MiB of answers, the oldest go first; the refusal needs only the entry. */
#include "query/run.h"

#include "base/hash.h"

#define ENTRIES 8192
#define BUCKETS 16384
#define NOBODY UINT16_MAX
#define LARGEST_ANSWER (2 * 1024 * 1024) /* a page and what stands around it */
#define ALL_ANSWERS (16 * 1024 * 1024)
#define SAME_FOR (5 * 60 * MR_NS_PER_S)
#define KNOWN_FOR (4 * MR_NS_PER_HOUR)

struct entry {
    uint64_t key[2];     /* 128 bits of (principal, token): a collision would replay a stranger's answer */
    uint64_t parameters; /* hash of query text, MaxRows and insights mode */
    int64_t made;        /* monotonic ns; 0: free */
    uint16_t chain;      /* next entry of the bucket */
    struct mr_buf answer;
};

struct query_replay {
    struct entry entry[ENTRIES]; /* a ring in order of arrival */
    uint16_t bucket[BUCKETS];
    size_t next, oldest_answer; /* answers are kept in [oldest_answer, next) of the ring */
    size_t bytes;
    uint64_t seed[2];
};

uint64_t query_parameters(const struct model_query_request *in)
{
    uint64_t rows = in->max_rows.set ? (uint64_t)in->max_rows.v + 1 : 0;
    uint64_t mode = in->query_insights != NULL ? (uint64_t)in->query_insights->mode : 0;
    return mr_hash64(in->query_string.ptr, in->query_string.len, rows * 8 + mode);
}

struct query_replay *query_replay_new(void)
{
    struct query_replay *r = mr_calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    memset(r->bucket, 0xFF, sizeof r->bucket);
    r->seed[0] = mr_hash_seed();
    r->seed[1] = ~mr_hash_seed();
    return r;
}

void query_replay_free(struct query_replay *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < ENTRIES; i++)
        mr_buf_release(&r->entry[i].answer);
    mr_free(r);
}

static void make_key(const struct query_replay *r, struct mr_str principal, struct mr_str token,
                     uint64_t key[2])
{
    for (int i = 0; i < 2; i++)
        key[i] = mr_hash64(token.ptr, token.len, mr_hash64(principal.ptr, principal.len, r->seed[i]));
}

static struct entry *find(struct query_replay *r, const uint64_t key[2], int64_t now)
{
    for (uint16_t i = r->bucket[key[0] % BUCKETS]; i != NOBODY; i = r->entry[i].chain) {
        struct entry *e = &r->entry[i];
        if (e->key[0] == key[0] && e->key[1] == key[1])
            return now - e->made <= KNOWN_FOR ? e : NULL;
    }
    return NULL;
}

static void link_entry(struct query_replay *r, struct entry *e)
{
    uint16_t *head = &r->bucket[e->key[0] % BUCKETS];
    e->chain = *head;
    *head = (uint16_t)(e - r->entry);
}

static void unlink_entry(struct query_replay *r, const struct entry *e)
{
    uint16_t self = (uint16_t)(e - r->entry);
    uint16_t *at = &r->bucket[e->key[0] % BUCKETS];
    while (*at != self)
        at = &r->entry[*at].chain;
    *at = e->chain;
}

enum query_replay_hit query_replay_find(struct query_replay *r, struct mr_str principal,
                                        struct mr_str client_token, uint64_t parameters, int64_t now,
                                        struct mr_buf *out)
{
    uint64_t key[2];
    make_key(r, principal, client_token, key);
    struct entry *e = find(r, key, now);
    if (e == NULL)
        return QUERY_REPLAY_NONE;
    if (e->parameters != parameters || now - e->made > SAME_FOR)
        return QUERY_REPLAY_CONFLICT;
    if (e->answer.len == 0)
        return QUERY_REPLAY_NONE; /* too large to keep: run it again */
    mr_buf_str(out, mr_buf_view(&e->answer));
    return QUERY_REPLAY_SAME;
}

static void drop_answer(struct query_replay *r, struct entry *e)
{
    r->bytes -= e->answer.cap;
    mr_buf_release(&e->answer);
}

void query_replay_forget(struct query_replay *r)
{
    for (size_t i = 0; i < ENTRIES; i++)
        drop_answer(r, &r->entry[i]);
}

void query_replay_keep(struct query_replay *r, struct mr_str principal, struct mr_str client_token,
                       uint64_t parameters, int64_t now, struct mr_str answer)
{
    struct entry *e = &r->entry[r->next];
    if (e->made != 0) {
        unlink_entry(r, e);
        drop_answer(r, e);
        if (r->oldest_answer == r->next)
            r->oldest_answer = (r->next + 1) % ENTRIES;
    }
    make_key(r, principal, client_token, e->key);
    link_entry(r, e);
    e->parameters = parameters;
    e->made = now != 0 ? now : 1;
    if (answer.len <= LARGEST_ANSWER) {
        mr_buf_str(&e->answer, answer);
        if (!mr_buf_ok(&e->answer))
            mr_buf_release(&e->answer);
        r->bytes += e->answer.cap;
    }
    r->next = (r->next + 1) % ENTRIES;
    while (r->bytes > ALL_ANSWERS) {
        drop_answer(r, &r->entry[r->oldest_answer]);
        r->oldest_answer = (r->oldest_answer + 1) % ENTRIES;
    }
}
