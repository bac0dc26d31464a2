#include "api/limits.h"

#include "base/clock.h"
#include "base/hash.h"

#include <pthread.h>

#define PLACES 4096
#define LOCKS 64

struct bucket {
    uint64_t owner;   /* hash of key and rate; 0: nobody's */
    int64_t spent_ns; /* when the bucket would be full again */
};

struct api_limits {
    pthread_mutex_t locks[LOCKS]; /* a place is under lock place % LOCKS */
    struct bucket at[PLACES];
};

int api_limits_new(struct api_limits **out)
{
    *out = mr_calloc(1, sizeof **out);
    if (*out == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&(*out)->locks[i], NULL);
    return MR_OK;
}

void api_limits_free(struct api_limits *limits)
{
    if (limits == NULL)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&limits->locks[i]);
    mr_free(limits);
}

/* The bucket as a point in time: a call moves it by 1 / per_second, and it may be up to a second ahead. */
bool api_limits_take(struct api_limits *limits, struct mr_str key, enum api_rate rate, int64_t per_second,
                     int64_t mono_ns)
{
    if (per_second <= 0)
        return true;
    uint64_t owner = (mr_hash64(key.ptr, key.len, mr_hash_seed() + (uint64_t)rate) | 1);
    size_t place = (size_t)(owner >> 1) % PLACES;
    pthread_mutex_t *lock = &limits->locks[place % LOCKS];
    pthread_mutex_lock(lock);
    struct bucket *b = &limits->at[place];
    if (b->owner != owner && b->spent_ns <= mono_ns) /* nobody's, or full: the last owner loses nothing */
        b->owner = owner;
    int64_t from = b->spent_ns > mono_ns ? b->spent_ns : mono_ns;
    int64_t next = from + MR_NS_PER_S / per_second;
    bool may = next <= mono_ns + MR_NS_PER_S;
    if (may)
        b->spent_ns = next;
    pthread_mutex_unlock(lock);
    return may;
}
