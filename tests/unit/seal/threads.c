/* tests/unit/seal/threads.c - one keyring used by many: readers while keys are made, renewed and forgotten.
 * Meant for -DMR_TSAN=ON as much as for its own checks. */
#include "lib/check.h"
#include "lib/simdisk.h"

#include "seal/seal.h"

#include <pthread.h>

#define THREADS 6
#define SCOPES 8u
#define ROUNDS 150u

struct shared {
    struct seal_keyring *ring;
    struct seal_key first[SCOPES]; /* what the first asker got */
    bool known[SCOPES];
    pthread_mutex_t lock;
    unsigned wrong; /* atomic */
};

/* Generation 1 of a scope that nobody forgets is the same for everybody, always. */
static void check_first(struct shared *s, uint64_t scope)
{
    struct seal_key key;
    if (seal_keyring_get(s->ring, scope, 1, &key, NULL) != MR_OK) {
        __atomic_fetch_add(&s->wrong, 1, __ATOMIC_RELAXED);
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (!s->known[scope])
        s->first[scope] = key;
    else if (memcmp(&s->first[scope], &key, sizeof key) != 0)
        __atomic_fetch_add(&s->wrong, 1, __ATOMIC_RELAXED);
    s->known[scope] = true;
    pthread_mutex_unlock(&s->lock);
}

static void *work(void *arg)
{
    struct shared *s = arg;
    struct seal_cipher *cipher;
    unsigned char sealed[20 + SEAL_TAG_BYTES];
    uint32_t before[SCOPES] = {0};
    if (seal_cipher_new(&cipher) != MR_OK)
        return NULL;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t scope = i % SCOPES;
        struct seal_key key;
        uint32_t generation;
        bool fine = seal_keyring_newest(s->ring, scope, &generation, &key, NULL) == MR_OK;
        fine = fine && generation >= before[scope]; /* never goes back */
        before[scope] = generation;
        check_first(s, scope);
        seal_lock(cipher, &key, 1, i, MR_STR("a"), MR_STR("twenty bytes of text"), sealed);
        fine = fine && seal_keyring_get(s->ring, scope, generation, &key, NULL) == MR_OK;
        fine = fine && seal_unlock(cipher, &key, 1, i, MR_STR("a"),
                                   (struct mr_str){(char *)sealed, sizeof sealed}, sealed);
        if (i % 10 == 0)
            fine = fine && seal_keyring_rotate(s->ring, scope, NULL) == MR_OK;
        if (i % 15 == 0) /* of nobody else's business */
            fine = fine && seal_keyring_forget(s->ring, SCOPES + 1 + i % 3, NULL) == MR_OK &&
                   seal_keyring_newest(s->ring, SCOPES + 1 + i % 3, &generation, &key, NULL) == MR_OK;
        if (!fine)
            __atomic_fetch_add(&s->wrong, 1, __ATOMIC_RELAXED);
    }
    seal_cipher_free(cipher);
    return NULL;
}

static void test_many_at_once(void **state)
{
    MR_UNUSED(state);
    static struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct simdisk *disk = simdisk_new();
    struct mr_error err = MR_ERROR_INIT;
    pthread_t threads[THREADS];
    check_ok(seal_keyring_open(simdisk_io(disk), "/", &s.ring, &err), &err);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &s), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s.wrong, 0);
    seal_keyring_close(s.ring);
    check_ok(seal_keyring_open(simdisk_io(disk), "/", &s.ring, &err), &err);
    for (uint64_t scope = 0; scope < SCOPES; scope++) {
        struct seal_key key;
        uint32_t generation;
        check_first(&s, scope);
        check_ok(seal_keyring_newest(s.ring, scope, &generation, &key, &err), &err);
    }
    assert_int_equal(s.wrong, 0);
    seal_keyring_close(s.ring);
    simdisk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests_name("seal/threads", tests, NULL, NULL);
}
