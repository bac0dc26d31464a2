/* Files of names with right checksums and right seals that say what cannot be: made by somebody who has the
 * key, or by a bug of ours. Each is refused as damage. */
#include "lib/dir.h"
#include "unit/store/names_kit.h"

#include "base/hash.h"
#include "magstore/press.h"
#include "store/names_format.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY INT64_C(86400000000000)
#define MAX_FRAMES 8

/* A file taken apart. */
struct craft {
    char *dir;
    struct seal_keyring *keyring;
    struct seal_cipher *cipher;
    struct magstore_press *press;
    struct names_kit kit;
    struct names_header header;
    struct seal_key key;
    struct mr_buf entries[MAX_FRAMES];
    size_t nentries;
    struct names_end end;
    struct magstore_file file;
    /* what emit does wrong */
    bool not_packed;     /* the first entry lies there as it is */
    uint32_t plain_more; /* what the head of the first frame claims */
    size_t end_more;     /* bytes that the end frame has too many */
    uint32_t end_claims; /* and that its head claims too many */
};

static void seal_frame(struct craft *c, struct mr_buf *out, uint64_t frame, struct mr_str bytes,
                       uint32_t plain, bool last)
{
    struct names_frame head = {
        .sealed = (uint32_t)(bytes.len + SEAL_TAG_BYTES), .plain = plain, .last = last};
    const struct names_aad aad = {NAMES_VERSION, last, c->header.database, c->header.table, c->header.number,
                                  frame,         plain};
    char *sealed = malloc(head.sealed);
    assert_non_null(sealed);
    seal_lock(c->cipher, &c->key, NAMES_STREAM, frame, (struct mr_str){(const char *)&aad, sizeof aad}, bytes,
              sealed);
    head.crc = mr_crc32c(0, &head, offsetof(struct names_frame, crc));
    head.crc = mr_crc32c(head.crc, sealed, head.sealed);
    mr_buf_add(out, &head, sizeof head);
    mr_buf_add(out, sealed, head.sealed);
    c->file.footer_crc = head.crc;
    free(sealed);
}

/* Opens what names_write wrote. */
static void take_apart(struct craft *c, const struct mr_buf *bytes)
{
    struct names_frame head;
    memcpy(&c->header, bytes->ptr, sizeof c->header);
    struct seal_key data_key;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(seal_keyring_get(c->keyring, NAMES_DATABASE, c->header.key_generation, &data_key, &err), &err);
    check_ok(seal_derive(&data_key, c->header.id, &c->key, &err), &err);
    uint64_t frame = 0;
    for (size_t at = sizeof c->header; at < bytes->len; at += sizeof head + head.sealed, frame++) {
        memcpy(&head, bytes->ptr + at, sizeof head);
        const struct names_aad aad = {NAMES_VERSION,    head.last, c->header.database, c->header.table,
                                      c->header.number, frame,     head.plain};
        char *sealed = bytes->ptr + at + sizeof head;
        assert_true(seal_unlock(c->cipher, &c->key, NAMES_STREAM, frame,
                                (struct mr_str){(const char *)&aad, sizeof aad},
                                (struct mr_str){sealed, head.sealed}, sealed));
        if (head.last) {
            memcpy(&c->end, sealed, sizeof c->end);
            break;
        }
        assert_true(frame < MAX_FRAMES - 2);
        struct mr_buf *entry = &c->entries[c->nentries++];
        char *to = mr_buf_reserve(entry, head.plain);
        struct mr_str packed = {sealed, head.sealed - SEAL_TAG_BYTES};
        assert_true(magstore_press_unpack(c->press, packed, to, head.plain));
        entry->len = head.plain;
    }
}

/* Puts it together again, and has it read. */
static int emit_and_read(struct craft *c, struct mr_error *err)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    struct mr_buf out = MR_BUF_INIT, packed = MR_BUF_INIT;
    struct names_kit to;
    mr_buf_add(&out, &c->header, sizeof c->header);
    for (size_t i = 0; i < c->nentries; i++) {
        struct mr_str entry = mr_buf_view(&c->entries[i]);
        bool as_it_is = i == 0 && c->not_packed;
        packed.len = 0;
        assert_int_equal(magstore_press_pack(c->press, entry, &packed), MR_OK);
        seal_frame(c, &out, i, as_it_is ? entry : mr_buf_view(&packed),
                   (uint32_t)entry.len + (i == 0 ? c->plain_more : 0), false);
    }
    char end[sizeof c->end + 8] = {0};
    memcpy(end, &c->end, sizeof c->end);
    seal_frame(c, &out, c->nentries, (struct mr_str){end, sizeof c->end + c->end_more},
               (uint32_t)sizeof c->end + c->end_claims, true);
    c->file.size = out.len;
    magstore_file_name(MAGSTORE_NAMES, 1, name);
    check_ok(mr_io_write_file(&mr_io_posix, c->dir, name, mr_buf_view(&out), 0600, err), err);
    names_kit_open(&to);
    int status = names_read(&mr_io_posix, c->dir, c->keyring, &c->file, to.mem, 0, err);
    if (status == MR_OK)
        names_kit_check_same(c->kit.mem, to.mem);
    names_kit_close(&to);
    mr_buf_release(&out);
    mr_buf_release(&packed);
    return status;
}

static void open_craft(struct craft *c)
{
    struct mr_error err = MR_ERROR_INIT;
    uint32_t columns, measures, series;
    char path[512], name[MAGSTORE_FILE_NAME_BYTES];
    struct mr_buf bytes = MR_BUF_INIT;
    *c = (struct craft){.dir = dir_make()};
    check_ok(seal_keyring_open(&mr_io_posix, c->dir, &c->keyring, &err), &err);
    assert_int_equal(seal_cipher_new(&c->cipher), MR_OK);
    assert_int_equal(magstore_press_new(&c->press), MR_OK);
    names_kit_open(&c->kit);
    names_kit_fill(&c->kit, 1, 0, 4500, DAY);
    check_ok(names_write(&mr_io_posix, c->dir, c->keyring, NAMES_DATABASE, NAMES_TABLE, 1, c->kit.mem, 0, 0,
                         0, &c->file, &columns, &measures, &series, &err),
             &err);
    magstore_file_name(MAGSTORE_NAMES, 1, name);
    snprintf(path, sizeof path, "%s/%s", c->dir, name);
    check_ok(mr_io_read_file(&mr_io_posix, path, 16 << 20, &bytes, &err), &err);
    take_apart(c, &bytes);
    assert_true(c->nentries == 2 && c->end.frames == 2);
    mr_buf_release(&bytes);
}

static void close_craft(struct craft *c)
{
    for (size_t i = 0; i < c->nentries; i++)
        mr_buf_release(&c->entries[i]);
    names_kit_close(&c->kit);
    magstore_press_free(c->press);
    seal_cipher_free(c->cipher);
    seal_keyring_close(c->keyring);
    dir_remove(c->dir);
}

/* ---- what is wrong ----------------------------------------------------------------------------------- */

static void nothing(struct craft *c)
{
    MR_UNUSED(c);
}
static void not_compressed(struct craft *c)
{
    c->not_packed = true;
}
static void longer_than_it_is(struct craft *c)
{
    c->plain_more = 1;
}
static void longer_than_allowed(struct craft *c)
{
    c->plain_more = NAMES_MAX_PLAIN;
}
static void an_entry_of_another_table(struct craft *c)
{
    c->entries[0].ptr[3]++;
}
static void an_entry_of_another_database(struct craft *c)
{
    c->entries[0].ptr[2]++;
}
static void a_drop(struct craft *c)
{
    c->entries[1].ptr[1] = 2;
    c->entries[1].len = 4;
}
static void another_entry_version(struct craft *c)
{
    c->entries[1].ptr[0]++;
}
static void an_entry_cut(struct craft *c)
{
    c->entries[1].len--;
}
static void bytes_after_an_entry(struct craft *c)
{
    mr_buf_char(&c->entries[1], 0);
}
static void a_row(struct craft *c)
{
    static const char row[] = {1, 0, 0, 2, 0, 1, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    c->entries[1].len--; /* the count of rows */
    mr_buf_add(&c->entries[1], row, sizeof row);
}
static void entries_swapped(struct craft *c)
{
    struct mr_buf first = c->entries[0];
    c->entries[0] = c->entries[1];
    c->entries[1] = first;
}
static void an_entry_twice(struct craft *c)
{
    mr_buf_str(&c->entries[c->nentries++], mr_buf_view(&c->entries[1]));
    c->end.frames++;
}
static void an_entry_less(struct craft *c)
{
    mr_buf_release(&c->entries[--c->nentries]);
    c->end.frames--;
}
static void a_column_further_on(struct craft *c)
{
    c->entries[0].ptr[4]++;
}
static void the_end_longer(struct craft *c)
{
    c->end_more = 1;
}
static void the_end_claims_more(struct craft *c)
{
    c->end_claims = 1;
}
static void first_column(struct craft *c)
{
    c->end.first_column--;
}
static void end_column(struct craft *c)
{
    c->end.end_column++;
}
static void first_measure(struct craft *c)
{
    c->end.first_measure++;
}
static void end_measure(struct craft *c)
{
    c->end.end_measure--;
}
static void first_series(struct craft *c)
{
    c->file.first_series = c->end.first_series = 1;
}
static void end_series(struct craft *c)
{
    c->file.last_series--;
    c->end.end_series--;
}
static void series_backwards(struct craft *c)
{
    c->end.first_series = 5000;
    c->file.first_series = 1;
    c->file.last_series = 0;
}
static void fewer_series(struct craft *c)
{
    c->file.rows--;
    c->end.series--;
}
static void more_frames(struct craft *c)
{
    c->end.frames++;
}

static const struct {
    const char *name;
    void (*spoil)(struct craft *c);
    int want;
} cases[] = {
    {"nothing", nothing, MR_OK},
    {"not compressed", not_compressed, MR_ECORRUPT},
    {"longer than it is", longer_than_it_is, MR_ECORRUPT},
    {"longer than allowed", longer_than_allowed, MR_ECORRUPT},
    {"an entry of another table", an_entry_of_another_table, MR_ECORRUPT},
    {"an entry of another database", an_entry_of_another_database, MR_ECORRUPT},
    {"a drop", a_drop, MR_ECORRUPT},
    {"another entry version", another_entry_version, MR_ECORRUPT},
    {"an entry cut", an_entry_cut, MR_ECORRUPT},
    {"bytes after an entry", bytes_after_an_entry, MR_ECORRUPT},
    {"a row", a_row, MR_ECORRUPT},
    {"entries swapped", entries_swapped, MR_ECORRUPT},
    {"an entry twice", an_entry_twice, MR_ECORRUPT},
    {"an entry less", an_entry_less, MR_ECORRUPT},
    {"a column further on", a_column_further_on, MR_ECORRUPT},
    {"the end longer", the_end_longer, MR_ECORRUPT},
    {"the end claims more", the_end_claims_more, MR_ECORRUPT},
    {"first column", first_column, MR_ECORRUPT},
    {"end column", end_column, MR_ECORRUPT},
    {"first measure", first_measure, MR_ECORRUPT},
    {"end measure", end_measure, MR_ECORRUPT},
    {"first series", first_series, MR_ECORRUPT},
    {"end series", end_series, MR_ECORRUPT},
    {"series backwards", series_backwards, MR_ECORRUPT},
    {"fewer series", fewer_series, MR_ECORRUPT},
    {"more frames", more_frames, MR_ECORRUPT},
};

static void what_cannot_be_is_refused(void **unused)
{
    MR_UNUSED(unused);
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct craft c;
        struct mr_error err = MR_ERROR_INIT;
        open_craft(&c);
        cases[i].spoil(&c);
        int status = emit_and_read(&c, &err);
        if (status != cases[i].want)
            fail_msg("%s: status %d, \"%s\"", cases[i].name, status, err.text);
        close_craft(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests_name("store/names_craft", tests, NULL, NULL);
}
