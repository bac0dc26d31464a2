/* Damaged files of names, files in the wrong place, keys that are gone: noticed, always. */
#include "lib/dir.h"
#include "unit/store/names_kit.h"

#include "base/hash.h"
#include "base/rand.h"
#include "store/names_format.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY INT64_C(86400000000000)

struct world {
    char *dir;
    struct seal_keyring *keyring;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct mr_error err = MR_ERROR_INIT;
    assert_non_null(w);
    w->dir = dir_make();
    check_ok(seal_keyring_open(&mr_io_posix, w->dir, &w->keyring, &err), &err);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    seal_keyring_close(w->keyring);
    dir_remove(w->dir);
    free(w);
    return 0;
}

/* A file of `count` series under the number. */
static struct magstore_file write_file(struct world *w, unsigned family, unsigned count, uint64_t number)
{
    struct names_kit kit;
    struct magstore_file file;
    struct mr_error err = MR_ERROR_INIT;
    uint32_t columns, measures, series;
    names_kit_open(&kit);
    names_kit_fill(&kit, family, 0, count, DAY);
    check_ok(names_write(&mr_io_posix, w->dir, w->keyring, NAMES_DATABASE, NAMES_TABLE, number, kit.mem, 0, 0,
                         0, &file, &columns, &measures, &series, &err),
             &err);
    names_kit_close(&kit);
    return file;
}

static int read_file(struct world *w, const struct magstore_file *file, struct mr_error *err)
{
    struct names_kit kit;
    names_kit_open(&kit);
    *err = (struct mr_error)MR_ERROR_INIT;
    int status = names_read(&mr_io_posix, w->dir, w->keyring, file, kit.mem, 0, err);
    names_kit_close(&kit);
    return status;
}

static void path_of(const struct world *w, uint64_t number, char path[static 512])
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    magstore_file_name(MAGSTORE_NAMES, number, name);
    snprintf(path, 512, "%s/%s", w->dir, name);
}

static struct mr_buf bytes_of(const struct world *w, uint64_t number)
{
    char path[512];
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    path_of(w, number, path);
    check_ok(mr_io_read_file(&mr_io_posix, path, 64 << 20, &bytes, &err), &err);
    return bytes;
}

static void put_bytes(const struct world *w, uint64_t number, const char *bytes, size_t len)
{
    char path[512];
    struct mr_error err = MR_ERROR_INIT;
    path_of(w, number, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    check_ok(mr_io_pwrite_full(&mr_io_posix, fd, bytes, len, 0, path, &err), &err);
    close(fd);
}

static void check_damaged(struct world *w, const struct magstore_file *file, const char *what, size_t at)
{
    struct mr_error err;
    int status = read_file(w, file, &err);
    if (status != MR_ECORRUPT || strstr(err.text, "offset") == NULL || strstr(err.text, "names-") == NULL)
        fail_msg("%s at %zu: status %d, \"%s\"", what, at, status, err.text);
}

static void flip(struct world *w, const struct magstore_file *file, struct mr_buf *bytes, size_t at,
                 unsigned bit)
{
    bytes->ptr[at] = (char)(bytes->ptr[at] ^ (1 << bit));
    put_bytes(w, file->number, bytes->ptr, bytes->len);
    check_damaged(w, file, "flip", at);
    bytes->ptr[at] = (char)(bytes->ptr[at] ^ (1 << bit));
}

static void every_flipped_byte_is_noticed(void **state)
{
    struct world *w = *state;
    struct magstore_file file = write_file(w, 1, 60, 1);
    struct mr_buf bytes = bytes_of(w, 1);
    assert_int_equal(bytes.len, file.size);
    for (size_t at = 0; at < bytes.len; at++)
        flip(w, &file, &bytes, at, (unsigned)at % 8);
    mr_buf_release(&bytes);
}

static void flips_in_a_file_of_several_frames(void **state)
{
    struct world *w = *state;
    struct magstore_file file = write_file(w, 1, 9000, 1);
    struct mr_buf bytes = bytes_of(w, 1);
    struct mr_rng rng = {3};
    for (int i = 0; i < 100; i++)
        flip(w, &file, &bytes, mr_rng_below(&rng, bytes.len), (unsigned)mr_rng_below(&rng, 8));
    mr_buf_release(&bytes);
}

/* Also when the manifest says that it should be so short. */
static void every_truncation_is_noticed(void **state)
{
    struct world *w = *state;
    struct magstore_file file = write_file(w, 1, 60, 1);
    struct mr_buf bytes = bytes_of(w, 1);
    for (size_t len = 0; len < bytes.len; len++) {
        put_bytes(w, 1, bytes.ptr, len);
        check_damaged(w, &file, "cut", len);
        struct magstore_file shorter = file;
        shorter.size = len;
        check_damaged(w, &shorter, "cut by the manifest", len);
    }
    mr_buf_char(&bytes, 0);
    put_bytes(w, 1, bytes.ptr, bytes.len);
    check_damaged(w, &file, "one byte more", bytes.len);
    file.size++;
    check_damaged(w, &file, "one byte more by the manifest", bytes.len);
    mr_buf_release(&bytes);
}

/* ---- whole pieces in the wrong place ----------------------------------------------------------------- */

struct frames {
    size_t start[16];
    size_t count; /* the end frame with them */
};

static struct frames frames_of(const struct mr_buf *bytes)
{
    struct frames f = {.count = 0};
    struct names_frame head;
    for (size_t at = sizeof(struct names_header); at < bytes->len; at += sizeof head + head.sealed) {
        assert_true(f.count < 15);
        memcpy(&head, bytes->ptr + at, sizeof head);
        f.start[f.count++] = at;
    }
    f.start[f.count] = bytes->len;
    return f;
}

static void add_frame(struct mr_buf *to, const struct mr_buf *from, size_t frame)
{
    struct frames f = frames_of(from);
    mr_buf_add(to, from->ptr + f.start[frame], f.start[frame + 1] - f.start[frame]);
}

/* The header of `a`, then frames: 0, 1, ... of a; 100, 101, ... of b; ends with -1. */
static void check_made_up(struct world *w, const struct magstore_file *file, const struct mr_buf *a,
                          const struct mr_buf *b, const int *frames)
{
    struct mr_buf made = MR_BUF_INIT;
    struct magstore_file says = *file;
    mr_buf_add(&made, a->ptr, sizeof(struct names_header));
    for (; *frames >= 0; frames++)
        add_frame(&made, *frames < 100 ? a : b, (size_t)*frames % 100);
    says.size = made.len;
    memcpy(&says.footer_crc, made.ptr + frames_of(&made).start[frames_of(&made).count - 1] + 12, 4);
    put_bytes(w, file->number, made.ptr, made.len);
    check_damaged(w, &says, "made up", (size_t)frames[-1]);
    mr_buf_release(&made);
}

static void frames_in_the_wrong_place(void **state)
{
    struct world *w = *state;
    struct magstore_file file = write_file(w, 1, 9000, 1);
    struct mr_buf a = bytes_of(w, 1);
    write_file(w, 1, 9000, 1); /* the same once more: another id, so another key */
    struct mr_buf b = bytes_of(w, 1);
    assert_int_equal(frames_of(&a).count, 3);
    check_made_up(w, &file, &a, &b, (int[]){1, 0, 2, -1});
    check_made_up(w, &file, &a, &b, (int[]){0, 2, -1});
    check_made_up(w, &file, &a, &b, (int[]){2, -1});
    check_made_up(w, &file, &a, &b, (int[]){0, 0, 1, 2, -1});
    check_made_up(w, &file, &a, &b, (int[]){0, 1, 2, 2, -1});
    check_made_up(w, &file, &a, &b, (int[]){0, 1, -1});
    check_made_up(w, &file, &a, &b, (int[]){0, 101, 2, -1});
    check_made_up(w, &file, &a, &b, (int[]){0, 1, 102, -1});
    check_made_up(w, &file, &a, &b, (int[]){100, 101, 102, -1});
    mr_buf_release(&a);
    mr_buf_release(&b);
}

/* A head that was tampered with and given a right checksum is up to the seal. */
static void a_right_checksum_is_not_enough(void **state)
{
    struct world *w = *state;
    struct magstore_file file = write_file(w, 1, 60, 1);
    struct mr_buf bytes = bytes_of(w, 1);
    for (size_t field = 0; field < 3; field++) {
        struct names_frame head;
        char *at = bytes.ptr + sizeof(struct names_header);
        memcpy(&head, at, sizeof head);
        uint32_t sealed = head.sealed;
        struct mr_buf copy = MR_BUF_INIT;
        mr_buf_add(&copy, bytes.ptr, bytes.len);
        if (field == 0)
            head.plain++;
        else if (field == 1)
            head.last = 1;
        else
            copy.ptr[sizeof(struct names_header) + sizeof head] ^= 1;
        head.crc = mr_crc32c(0, &head, offsetof(struct names_frame, crc));
        head.crc = mr_crc32c(head.crc, copy.ptr + sizeof(struct names_header) + sizeof head, sealed);
        memcpy(copy.ptr + sizeof(struct names_header), &head, sizeof head);
        put_bytes(w, 1, copy.ptr, copy.len);
        check_damaged(w, &file, "tampered", field);
        mr_buf_release(&copy);
    }
    mr_buf_release(&bytes);
}

static void the_manifest_must_agree(void **state)
{
    struct world *w = *state;
    const struct magstore_file file = write_file(w, 1, 60, 1);
    struct mr_error err;
    check_ok(read_file(w, &file, &err), &err);
    for (int i = 0; i < 8; i++) {
        struct magstore_file f = file;
        f.database += i == 0;
        f.table += i == 1;
        f.key_generation += i == 2;
        f.rows += i == 3;
        f.first_series += i == 4;
        f.last_series -= i == 5;
        f.footer_crc ^= i == 6;
        f.size -= i == 7;
        check_damaged(w, &f, "manifest", (size_t)i);
    }
    struct magstore_file f = file;
    f.number = 2;
    assert_int_equal(read_file(w, &f, &err), MR_ENOENT);
    struct mr_buf bytes = bytes_of(w, 1);
    put_bytes(w, 2, bytes.ptr, bytes.len);
    check_damaged(w, &f, "another number", 2);
    mr_buf_release(&bytes);
    f = file;
    f.kind = MAGSTORE_SEGMENT;
    assert_int_equal(read_file(w, &f, &err), MR_EINVAL);
}

/* ---- keys -------------------------------------------------------------------------------------------- */

static void keys_come_and_go(void **state)
{
    struct world *w = *state;
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_file first = write_file(w, 1, 60, 1);
    check_ok(seal_keyring_rotate(w->keyring, NAMES_DATABASE, &err), &err);
    struct magstore_file second = write_file(w, 1, 60, 2);
    assert_true(first.key_generation == 1 && second.key_generation == 2);
    check_ok(read_file(w, &first, &err), &err);
    check_ok(read_file(w, &second, &err), &err);
    check_ok(seal_keyring_forget(w->keyring, NAMES_DATABASE, &err), &err);
    assert_int_equal(read_file(w, &first, &err), MR_ENOENT);
    assert_int_equal(read_file(w, &second, &err), MR_ENOENT);
}

static void no_name_lies_in_the_clear(void **state)
{
    struct world *w = *state;
    write_file(w, 1, 1, 1);
    struct mr_buf bytes = bytes_of(w, 1);
    static const char *const secrets[] = {"host", "region", "cpu-", "load-", "0000000"};
    for (size_t i = 0; i < MR_ARRAY_LEN(secrets); i++)
        assert_null(memmem(bytes.ptr, bytes.len, secrets[i], strlen(secrets[i])));
    mr_buf_release(&bytes);
}

/* A later version is none of our business; a wrong checksum with it is damage. */
static void another_version(void **state)
{
    struct world *w = *state;
    struct magstore_file file = write_file(w, 1, 10, 1);
    struct mr_buf bytes = bytes_of(w, 1);
    struct names_header h;
    struct mr_error err;
    memcpy(&h, bytes.ptr, sizeof h);
    h.version = 2;
    h.crc = mr_crc32c(0, &h, offsetof(struct names_header, crc));
    memcpy(bytes.ptr, &h, sizeof h);
    put_bytes(w, 1, bytes.ptr, bytes.len);
    assert_int_equal(read_file(w, &file, &err), MR_EUNSUPPORTED);
    mr_buf_release(&bytes);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(every_flipped_byte_is_noticed),
        WITH_WORLD(flips_in_a_file_of_several_frames),
        WITH_WORLD(every_truncation_is_noticed),
        WITH_WORLD(frames_in_the_wrong_place),
        WITH_WORLD(a_right_checksum_is_not_enough),
        WITH_WORLD(the_manifest_must_agree),
        WITH_WORLD(keys_come_and_go),
        WITH_WORLD(no_name_lies_in_the_clear),
        WITH_WORLD(another_version),
    };
    return cmocka_run_group_tests_name("store/names_damage", tests, NULL, NULL);
}
