/* tests/unit/seal/named.c - data keys under other keys than the master key: local ones, and a service that
 * answers, refuses or is silent. */
#include "lib/check.h"
#include "lib/dir.h"

#include "base/hash.h"
#include "seal/format.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define S INT64_C(1000000000)

/* A service that wraps by a mask of one byte and the binding's length. */
struct service {
    int answer; /* MR_OK, or what it says instead */
    unsigned generated, unwrapped;
    char seen[64]; /* the binding of the last call */
};

struct world {
    char *dir;
    struct seal_keyring *ring;
    struct mr_error err;
    struct service service;
};

static int generate(void *ctx, const struct seal_wrapping *by, struct seal_key *out, struct mr_buf *wrapped,
                    struct mr_error *err)
{
    struct service *s = ctx;
    if (s->answer != MR_OK)
        return mr_error_set(err, s->answer, "no");
    memset(out->bytes, 'a' + (int)s->generated++, SEAL_KEY_BYTES);
    for (size_t i = 0; i < SEAL_KEY_BYTES; i++)
        mr_buf_char(wrapped, (char)(out->bytes[i] ^ by->binding.len ^ 0x55));
    return MR_OK;
}

static int unwrap(void *ctx, const struct seal_wrapping *by, struct mr_str wrapped, struct seal_key *out,
                  struct mr_error *err)
{
    struct service *s = ctx;
    s->unwrapped++;
    snprintf(s->seen, sizeof s->seen, MR_STR_FMT, MR_STR_ARG(by->binding));
    if (s->answer != MR_OK)
        return mr_error_set(err, s->answer, "no");
    for (size_t i = 0; i < SEAL_KEY_BYTES; i++)
        out->bytes[i] = (unsigned char)(wrapped.ptr[i] ^ by->binding.len ^ 0x55);
    return MR_OK;
}

static int wrapping(void *ctx, uint64_t scope, struct mr_arena *arena, struct seal_wrapping *out,
                    struct mr_error *err)
{
    MR_UNUSED(ctx);
    MR_UNUSED(arena);
    MR_UNUSED(err);
    if (scope == 99)
        return MR_ENOENT;
    *out = (struct seal_wrapping){SEAL_BY_OUTSIDE, MR_STR("arn:the/key"), MR_STR("garden")};
    if (scope == 5)
        *out = (struct seal_wrapping){SEAL_BY_MASTER, MR_STR(""), MR_STR("")};
    return MR_OK;
}

static void open_ring(struct world *w)
{
    const struct seal_outside outside = {&w->service, generate, unwrap, wrapping};
    seal_keyring_close(w->ring);
    check_ok(seal_keyring_open(&mr_io_posix, w->dir, &w->ring, &w->err), &w->err);
    seal_keyring_set_outside(w->ring, &outside);
}

static int setup(void **state)
{
    static struct world w;
    w = (struct world){.dir = dir_make(), .err = MR_ERROR_INIT};
    open_ring(&w);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    seal_keyring_close(w->ring);
    dir_remove(w->dir);
    return 0;
}

static void adopt(struct world *w, uint64_t scope, enum seal_kind kind, const char *key)
{
    const struct seal_wrapping by = {kind, mr_str_of(key),
                                     kind == SEAL_BY_OUTSIDE ? MR_STR("b") : MR_STR("")};
    struct seal_fresh *fresh;
    check_ok(seal_fresh_make(w->ring, &by, &fresh, &w->err), &w->err);
    check_ok(seal_fresh_adopt(w->ring, scope, fresh, &w->err), &w->err);
    seal_fresh_free(fresh);
}

static int get(struct world *w, uint64_t scope, uint32_t generation, struct seal_key *out)
{
    w->err = (struct mr_error)MR_ERROR_INIT;
    return seal_keyring_get(w->ring, scope, generation, out, &w->err);
}

static bool refresh(struct world *w, int64_t now)
{
    bool changed;
    seal_keyring_refresh(w->ring, now, SEAL_LIFE_NS, &changed);
    return changed;
}

static void path_of(const struct world *w, const char *name, char out[static 300])
{
    snprintf(out, 300, "%s/%s", w->dir, name);
}

static void test_local_key(void **state)
{
    struct world *w = *state;
    struct seal_key a, b;
    struct stat st;
    char path[300], away[300];
    uint32_t generation;
    adopt(w, 3, SEAL_BY_LOCAL, "0a-key");
    check_ok(get(w, 3, 1, &a), &w->err);
    path_of(w, "0a-key.key", path);
    path_of(w, "away", away);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, SEAL_KEY_BYTES);
    /* Another scope under the same key uses the same file. */
    adopt(w, 4, SEAL_BY_LOCAL, "0a-key");
    open_ring(w);
    assert_int_equal(get(w, 3, 1, &b), MR_EIO); /* not unwrapped yet */
    assert_true(refresh(w, 1 * S));
    check_ok(get(w, 3, 1, &b), &w->err);
    assert_memory_equal(&a, &b, sizeof a);
    /* Its file taken away: the key says no, at the latest when it is looked at again; and it is not made
     * anew. */
    assert_int_equal(rename(path, away), 0);
    assert_false(refresh(w, 2 * S));
    assert_true(refresh(w, 200 * S));
    assert_int_equal(get(w, 3, 1, &b), MR_EDENIED);
    assert_non_null(strstr(w->err.text, "0a-key"));
    assert_int_equal(seal_keyring_usable(w->ring, 4, NULL), MR_EDENIED);
    assert_int_equal(seal_keyring_newest(w->ring, 3, &generation, &b, NULL), MR_EDENIED);
    struct seal_fresh *fresh;
    const struct seal_wrapping by = {SEAL_BY_LOCAL, MR_STR("0a-key"), MR_STR("")};
    assert_int_equal(seal_fresh_make(w->ring, &by, &fresh, NULL), MR_EDENIED);
    assert_int_not_equal(access(path, F_OK), 0);
    /* Put back: it recovers. */
    assert_int_equal(rename(away, path), 0);
    assert_true(refresh(w, 240 * S));
    check_ok(get(w, 4, 1, &b), &w->err);
    check_ok(seal_keyring_usable(w->ring, 4, &w->err), &w->err);
    /* Another key under that name does not unwrap. */
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "another key, which is 32 bytes..", 32, 0), 32);
    close(fd);
    assert_true(refresh(w, 900 * S));
    assert_int_equal(get(w, 3, 1, &b), MR_EDENIED);
}

static void test_names_of_local_keys(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"",
                                      "UPPER",
                                      "a/b",
                                      "..",
                                      "a.b",
                                      "a b",
                                      "0123456789012345678901234567890123456789012345678901234567890123x"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        const struct seal_wrapping by = {SEAL_BY_LOCAL, mr_str_of(bad[i]), MR_STR("")};
        struct seal_fresh *fresh;
        assert_int_equal(seal_fresh_make(w->ring, &by, &fresh, NULL), MR_EINVAL);
    }
}

/* The service says no: at once. It is silent: when the life of what it last said is over. */
static void test_service(void **state)
{
    struct world *w = *state;
    struct seal_key a, b;
    adopt(w, 7, SEAL_BY_OUTSIDE, "arn:key");
    check_ok(get(w, 7, 1, &a), &w->err);
    assert_int_equal(w->service.unwrapped, 0);
    assert_false(refresh(w, 10 * S)); /* asked, and still there */
    assert_int_equal(w->service.unwrapped, 1);
    assert_string_equal(w->service.seen, "b");
    assert_false(refresh(w, 20 * S)); /* not due */
    assert_int_equal(w->service.unwrapped, 1);
    w->service.answer = MR_EIO;
    assert_false(refresh(w, 170 * S));
    assert_int_equal(w->service.unwrapped, 2);
    check_ok(get(w, 7, 1, &b), &w->err);
    for (int64_t now = 171; now < 310; now++)
        assert_false(refresh(w, now * S));
    assert_true(w->service.unwrapped < 15); /* pauses grow */
    check_ok(get(w, 7, 1, &b), &w->err);
    assert_true(refresh(w, 310 * S));
    assert_int_equal(get(w, 7, 1, &b), MR_EIO);
    assert_non_null(strstr(w->err.text, "arn:key"));
    w->service.answer = MR_OK;
    assert_true(refresh(w, 345 * S));
    check_ok(get(w, 7, 1, &b), &w->err);
    assert_memory_equal(&a, &b, sizeof a);
    w->service.answer = MR_EINVAL; /* disabled, say */
    assert_true(refresh(w, 500 * S));
    assert_int_equal(get(w, 7, 1, &b), MR_EDENIED);
    w->service.answer = MR_OK;
    assert_true(refresh(w, 531 * S));
    check_ok(get(w, 7, 1, &b), &w->err);
}

/* A start while the service is silent: it opens, keys of others are there, one call is made a round. */
static void test_start_without_the_service(void **state)
{
    struct world *w = *state;
    struct seal_key a, b;
    uint32_t generation;
    adopt(w, 7, SEAL_BY_OUTSIDE, "arn:key");
    adopt(w, 8, SEAL_BY_OUTSIDE, "arn:key");
    check_ok(seal_keyring_newest(w->ring, 5, &generation, &a, &w->err), &w->err);
    w->service.answer = MR_EIO;
    open_ring(w);
    assert_false(refresh(w, 1 * S));
    assert_int_equal(w->service.unwrapped, 1);
    assert_int_equal(seal_keyring_usable(w->ring, 7, NULL), MR_EIO);
    assert_int_equal(seal_keyring_usable(w->ring, 8, NULL), MR_EIO);
    check_ok(seal_keyring_newest(w->ring, 5, &generation, &b, &w->err), &w->err);
    assert_memory_equal(&a, &b, sizeof a);
    /* The state that was not known survives a change and a start. */
    check_ok(seal_keyring_rotate(w->ring, 5, &w->err), &w->err);
    assert_int_equal(seal_keyring_usable(w->ring, 7, NULL), MR_EIO);
    assert_int_equal(seal_keyring_rotate(w->ring, 7, NULL), MR_EIO);
    w->service.answer = MR_OK;
    open_ring(w);
    assert_true(refresh(w, 1 * S));
    check_ok(seal_keyring_usable(w->ring, 8, &w->err), &w->err);
}

/* A scope without a key gets it from whom the owner of the store says. */
static void test_first_keys(void **state)
{
    struct world *w = *state;
    struct mr_arena arena = MR_ARENA_INIT;
    struct seal_entry *entries;
    struct seal_key key;
    size_t count;
    uint32_t generation;
    check_ok(seal_keyring_newest(w->ring, 5, &generation, &key, &w->err), &w->err);
    check_ok(seal_keyring_newest(w->ring, 6, &generation, &key, &w->err), &w->err);
    check_ok(seal_keyring_newest(w->ring, SEAL_SCOPE_STORE, &generation, &key, &w->err), &w->err);
    assert_int_equal(seal_keyring_newest(w->ring, 99, &generation, &key, NULL), MR_EDENIED);
    adopt(w, 6, SEAL_BY_LOCAL, "next");
    assert_int_equal(seal_keyring_list(w->ring, &arena, &entries, &count), MR_OK);
    assert_int_equal(count, 4);
    assert_int_equal(entries[0].by.kind, SEAL_BY_MASTER);
    assert_int_equal(entries[1].by.kind, SEAL_BY_MASTER);
    assert_int_equal(entries[2].by.kind, SEAL_BY_OUTSIDE);
    check_str(entries[2].by.key, "arn:the/key");
    check_str(entries[2].by.binding, "garden");
    assert_false(entries[2].newest);
    assert_true(entries[3].newest && entries[3].at_hand && entries[3].generation == 2);
    check_str(entries[3].by.key, "next");
    mr_arena_release(&arena);
}

static void test_retire(void **state)
{
    struct world *w = *state;
    struct seal_key key;
    adopt(w, 2, SEAL_BY_MASTER, "");
    adopt(w, 2, SEAL_BY_LOCAL, "next");
    adopt(w, 2, SEAL_BY_MASTER, "");
    check_ok(seal_keyring_retire(w->ring, 2, 3, &w->err), &w->err); /* the newest stays */
    check_ok(get(w, 2, 3, &key), &w->err);
    check_ok(seal_keyring_retire(w->ring, 2, 1, &w->err), &w->err);
    check_ok(seal_keyring_retire(w->ring, 2, 1, &w->err), &w->err);
    assert_int_equal(get(w, 2, 1, &key), MR_ENOENT);
    check_ok(get(w, 2, 2, &key), &w->err);
    open_ring(w);
    assert_int_equal(get(w, 2, 1, &key), MR_ENOENT);
    /* Generations go on from the newest. */
    adopt(w, 2, SEAL_BY_MASTER, "");
    check_ok(get(w, 2, 4, &key), &w->err);
}

/* The file that held forgotten keys is overwritten, not only unlinked. */
static void test_forgotten_keys_are_overwritten(void **state)
{
    struct world *w = *state;
    char path[300], before[4096], after[4096];
    struct stat st;
    adopt(w, 2, SEAL_BY_LOCAL, "next");
    path_of(w, "keyring", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(pread(fd, before, sizeof before, 0), st.st_size);
    check_ok(seal_keyring_forget(w->ring, 2, &w->err), &w->err);
    assert_int_equal(pread(fd, after, sizeof after, 0), st.st_size);
    for (off_t i = 0; i < st.st_size; i++)
        assert_int_equal(after[i], 0);
    close(fd);
    assert_int_equal(before[0], 'M');
}

/* Under a right checksum too: the tag of the whole holds what the master key does not wrap. */
static void test_every_altered_bit_is_noticed(void **state)
{
    struct world *w = *state;
    struct mr_buf file = MR_BUF_INIT;
    char path[300];
    adopt(w, 2, SEAL_BY_MASTER, "");
    adopt(w, 2, SEAL_BY_LOCAL, "next");
    adopt(w, 7, SEAL_BY_OUTSIDE, "arn:key");
    path_of(w, "keyring", path);
    check_ok(mr_io_read_file(&mr_io_posix, path, 4096, &file, &w->err), &w->err);
    for (size_t bit = 0; bit < 8 * file.len; bit++) {
        struct seal_keyring *ring;
        struct mr_error err = MR_ERROR_INIT;
        file.ptr[bit / 8] = (char)(file.ptr[bit / 8] ^ (1 << bit % 8));
        uint32_t crc = mr_crc32c(0, file.ptr, file.len - sizeof crc), was;
        memcpy(&was, file.ptr + file.len - sizeof was, sizeof was);
        if (bit / 8 < file.len - sizeof crc)
            memcpy(file.ptr + file.len - sizeof crc, &crc, sizeof crc);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, file.ptr, file.len, 0), file.len);
        close(fd);
        if (seal_keyring_open(&mr_io_posix, w->dir, &ring, &err) != MR_ECORRUPT)
            fail_msg("bit %zu was not noticed", bit);
        memcpy(file.ptr + file.len - sizeof was, &was, sizeof was);
        file.ptr[bit / 8] = (char)(file.ptr[bit / 8] ^ (1 << bit % 8));
    }
    mr_buf_release(&file);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_local_key),
        CASE(test_names_of_local_keys),
        CASE(test_service),
        CASE(test_start_without_the_service),
        CASE(test_first_keys),
        CASE(test_retire),
        CASE(test_forgotten_keys_are_overwritten),
        CASE(test_every_altered_bit_is_noticed),
    };
    return cmocka_run_group_tests_name("seal/named", tests, NULL, NULL);
}
