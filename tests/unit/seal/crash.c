/* tests/unit/seal/crash.c - keyrings over failing calls, kills and power cuts: a key that was given out is
 * there afterwards, a scope that was forgotten is not, and the keyring always opens. */
#include "lib/check.h"
#include "lib/dir.h"
#include "lib/fault.h"
#include "lib/simdisk.h"

#include "base/rand.h"
#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROMISES 256

/* A key that was given out, with the moments of the disk's record between which it has to be there. */
struct promise {
    uint64_t scope;
    uint32_t generation;
    struct seal_key key;
    size_t from, until; /* given out; a forget of its scope began */
    size_t gone;        /* that forget had returned */
};

struct run {
    struct simdisk *disk; /* NULL: moments do not count */
    struct seal_keyring *ring;
    struct promise promises[PROMISES];
    size_t count;
    unsigned failed;
};

static size_t moment(const struct run *r)
{
    return r->disk != NULL ? simdisk_changes(r->disk) : 0;
}

static void given(struct run *r, uint64_t scope, uint32_t generation, const struct seal_key *key)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct promise *p = &r->promises[i];
        if (p->scope == scope && p->generation == generation && p->until == SIZE_MAX) {
            assert_memory_equal(p->key.bytes, key->bytes, SEAL_KEY_BYTES);
            return;
        }
    }
    assert_true(r->count < PROMISES);
    r->promises[r->count++] = (struct promise){scope, generation, *key, moment(r), SIZE_MAX, SIZE_MAX};
}

static bool ok(struct run *r, int status)
{
    assert_true(status == MR_OK || status == MR_EIO || status == MR_ENOSPC || status == MR_ENOMEM);
    r->failed += status != MR_OK;
    return status == MR_OK;
}

static void ask(struct run *r, uint64_t scope)
{
    struct seal_key key;
    uint32_t generation;
    if (ok(r, seal_keyring_newest(r->ring, scope, &generation, &key, NULL)))
        given(r, scope, generation, &key);
}

static void forget(struct run *r, uint64_t scope)
{
    size_t before = moment(r);
    for (size_t i = 0; i < r->count; i++)
        if (r->promises[i].scope == scope && r->promises[i].until == SIZE_MAX)
            r->promises[i].until = before;
    if (!ok(r, seal_keyring_forget(r->ring, scope, NULL)))
        return;
    for (size_t i = 0; i < r->count; i++)
        if (r->promises[i].scope == scope && r->promises[i].gone == SIZE_MAX)
            r->promises[i].gone = moment(r);
}

/* A new generation under a key of its own, as UpdateDatabase makes it. */
static void adopt(struct run *r, uint64_t scope, struct mr_str key)
{
    const struct seal_wrapping by = {SEAL_BY_LOCAL, key, MR_STR("")};
    struct seal_fresh *fresh = NULL;
    if (ok(r, seal_fresh_make(r->ring, &by, &fresh, NULL)) &&
        ok(r, seal_fresh_adopt(r->ring, scope, fresh, NULL)))
        ask(r, scope);
    seal_fresh_free(fresh);
}

/* Nothing is under it any more. */
static void retire(struct run *r, uint64_t scope, uint32_t generation)
{
    size_t before = moment(r), i = 0;
    while (i < r->count && (r->promises[i].scope != scope || r->promises[i].generation != generation))
        i++;
    if (i < r->count)
        r->promises[i].until = before;
    if (ok(r, seal_keyring_retire(r->ring, scope, generation, NULL)) && i < r->count &&
        seal_keyring_get(r->ring, scope, generation, &(struct seal_key){{0}}, NULL) == MR_ENOENT)
        r->promises[i].gone = moment(r);
}

/* What a store does in its life, on scopes from `first` on. */
static void use(struct run *r, uint64_t first)
{
    for (uint64_t scope = first; scope < first + 3; scope++)
        ask(r, scope);
    ok(r, seal_keyring_rotate(r->ring, first + 1, NULL));
    ask(r, first + 1);
    forget(r, first + 2);
    ask(r, first + 3);
    forget(r, first);
    adopt(r, first + 3, MR_STR("key-a"));
    adopt(r, first + 1, MR_STR("key-b"));
    retire(r, first + 3, 1);
    adopt(r, first + 3, MR_STR("key-a"));
}

/* Holds a keyring against what was promised at the moment. */
static const char *judge(const struct run *r, struct seal_keyring *ring, size_t at)
{
    bool changed;
    seal_keyring_refresh(ring, 1, SEAL_LIFE_NS, &changed);
    for (size_t i = 0; i < r->count; i++) {
        const struct promise *p = &r->promises[i];
        struct seal_key key;
        int status = seal_keyring_get(ring, p->scope, p->generation, &key, NULL);
        bool same = status == MR_OK && memcmp(&key, &p->key, sizeof key) == 0;
        if (p->from <= at && at <= p->until && !same)
            return "a key that was given out is not there";
        if (p->gone <= at && same)
            return "a forgotten key is there";
    }
    return NULL;
}

static void reopen_and_judge(const struct run *r, const struct mr_io *io, const char *dir, size_t at,
                             const char *what)
{
    struct seal_keyring *ring;
    struct mr_error err = MR_ERROR_INIT;
    if (seal_keyring_open(io, dir, &ring, &err) != MR_OK)
        fail_msg("%s, moment %zu: %s", what, at, err.text);
    const char *why = judge(r, ring, at);
    if (why != NULL)
        fail_msg("%s, moment %zu: %s", what, at, why);
    seal_keyring_close(ring);
}

/* ---- power cuts */

/* Every moment of the run, every way to lose what is pending. */
static void cut_everywhere(const struct run *r, size_t start)
{
    for (size_t at = start; at <= simdisk_changes(r->disk); at++) {
        for (int keep = 0; keep < SIMDISK_KEEPS; keep++) {
            for (uint64_t seed = 0; seed < 3; seed++) {
                struct simdisk *state = simdisk_power_cut(r->disk, at, (enum simdisk_keep)keep, seed);
                reopen_and_judge(r, simdisk_io(state), "/", at, simdisk_keep_name((enum simdisk_keep)keep));
                simdisk_free(state);
            }
        }
    }
}

static void test_power_cuts_keep_every_promise(void **state)
{
    MR_UNUSED(state);
    struct run r = {.disk = simdisk_new()};
    struct mr_error err = MR_ERROR_INIT;
    check_ok(seal_keyring_open(simdisk_io(r.disk), "/", &r.ring, &err), &err);
    use(&r, 0);
    assert_int_equal(r.failed, 0);
    seal_keyring_close(r.ring);
    cut_everywhere(&r, 0);
    simdisk_free(r.disk);
}

/* Killed at any moment, with or without a sync that failed, then used, then the power goes: what the second
 * life was given counts, also keys it only found, which the first may not have made durable. */
static void test_a_kill_and_a_power_cut(void **state)
{
    MR_UNUSED(state);
    struct run first = {.disk = simdisk_new()};
    struct mr_error err = MR_ERROR_INIT;
    check_ok(seal_keyring_open(simdisk_io(first.disk), "/", &first.ring, &err), &err);
    use(&first, 0);
    seal_keyring_close(first.ring);
    for (size_t at = 0; at <= simdisk_changes(first.disk); at++) {
        for (int lose = 0; lose < 2; lose++) {
            struct run second = {.disk = simdisk_kill(first.disk, at, lose != 0)};
            size_t start = simdisk_changes(second.disk);
            check_ok(seal_keyring_open(simdisk_io(second.disk), "/", &second.ring, &err), &err);
            struct seal_key key;
            bool changed;
            seal_keyring_refresh(second.ring, 1, SEAL_LIFE_NS, &changed);
            for (uint64_t scope = 0; scope < 4; scope++)
                for (uint32_t g = 1; g <= 3; g++)
                    if (seal_keyring_get(second.ring, scope, g, &key, NULL) == MR_OK)
                        given(&second, scope, g, &key);
            size_t opened = simdisk_changes(second.disk);
            struct simdisk *cut = simdisk_power_cut(second.disk, opened, SIMDISK_NONE, 0);
            reopen_and_judge(&second, simdisk_io(cut), "/", opened, "found, then cut");
            simdisk_free(cut);
            ask(&second, 1);
            ask(&second, 77);
            seal_keyring_close(second.ring);
            if (at % 5 == 0)
                cut_everywhere(&second, start);
            simdisk_free(second.disk);
        }
    }
    simdisk_free(first.disk);
}

/* ---- failing calls */

static unsigned aborted;

static const struct {
    const char *name;
    int errnum;
    enum fault_kind kind;
    bool sticky;
} faults[] = {
    {"EIO once", EIO, FAULT_ERROR, false},        {"EIO from then on", EIO, FAULT_ERROR, true},
    {"ENOSPC once", ENOSPC, FAULT_ERROR, false},  {"ENOSPC from then on", ENOSPC, FAULT_ERROR, true},
    {"short, then EIO", EIO, FAULT_SHORT, false}, {"short, then ENOSPC", ENOSPC, FAULT_SHORT, true},
};

/* The run over failing calls, in a process of its own: a sync that fails ends it (reliability rule 2). */
static void run_faulty(struct run *r, struct fault_io *fault, const char *dir, bool *fired, bool *refused)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct mr_error err = MR_ERROR_INIT;
        int null = open("/dev/null", O_WRONLY); /* the line that it logs */
        dup2(null, STDERR_FILENO);
        close(null);
        if (ok(r, seal_keyring_open(&fault->io, dir, &r->ring, &err))) {
            use(r, 0);
            use(r, 10);
        } else {
            *refused = r->ring == NULL && err.text[0] != '\0';
        }
        seal_keyring_close(r->ring);
        *fired = fault->fired;
        _exit(0);
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGABRT)
        *fired = true;
    else
        assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0 && (!*fired || r->failed > 0));
    aborted += WIFSIGNALED(ended);
}

/* What parent and child both see. */
struct shared {
    struct run run;
    bool fired, refused;
};

static void test_any_call_may_fail(void **state)
{
    MR_UNUSED(state);
    unsigned fired = 0, refused = 0;
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    for (size_t k = 0; k < MR_ARRAY_LEN(faults); k++) {
        bool more = true;
        for (unsigned nth = 1; more; nth++) {
            struct fault_io fault;
            struct run *r = &shared->run;
            char *dir = dir_make();
            *shared = (struct shared){.run = {.disk = NULL}};
            fault_io_init(&fault);
            fault_io_arm(&fault, nth, faults[k].errnum, faults[k].kind, faults[k].sticky);
            run_faulty(r, &fault, dir, &shared->fired, &shared->refused);
            /* Of a scope to be forgotten no key has to be there; whether it may depends on that call. */
            for (size_t i = 0; i < r->count; i++)
                if (r->promises[i].until != SIZE_MAX)
                    r->promises[i].from = SIZE_MAX;
            reopen_and_judge(r, &mr_io_posix, dir, 0, faults[k].name);
            more = shared->fired;
            fired += shared->fired;
            refused += shared->refused;
            dir_remove(dir);
        }
    }
    munmap(shared, sizeof *shared);
    print_message("%u calls failed: %u starts were refused, %u syncs ended the process\n", fired, refused,
                  aborted);
    assert_true(fired > 200 && refused > 10 && aborted > 50);
}

static void test_any_allocation_may_fail(void **state)
{
    MR_UNUSED(state);
    unsigned failed = 0;
    for (unsigned nth = 1, more = 1; more; nth++) {
        struct run r = {.disk = simdisk_new()};
        struct mr_error err = MR_ERROR_INIT;
        fault_alloc(nth);
        if (ok(&r, seal_keyring_open(simdisk_io(r.disk), "/", &r.ring, &err)))
            use(&r, 0);
        more = fault_alloc_fired();
        fault_alloc(0);
        seal_keyring_close(r.ring);
        assert_int_equal(r.failed, more); /* each by itself, and the next call is fine */
        failed += r.failed;
        simdisk_free(r.disk);
    }
    assert_true(failed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_cuts_keep_every_promise),
        cmocka_unit_test(test_a_kill_and_a_power_cut),
        cmocka_unit_test(test_any_call_may_fail),
        cmocka_unit_test(test_any_allocation_may_fail),
    };
    /* The subject is what a keyring does, not what a disk takes its time for. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests_name("seal/crash", tests, NULL, NULL);
}
