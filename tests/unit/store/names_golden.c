/* Files of names of every format version, as they were written then, still say what they said; and a second
 * decoder, made from docs/format/names.md alone, reads the same.
 *
 * With a directory as its argument the program writes such files, for a new version: see
 * tests/golden/README.md.
 */
#include "lib/dir.h"
#include "unit/store/names_kit.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FROZEN MR_SOURCE_DIR "/tests/golden/names-v1"
#define DECODER MR_SOURCE_DIR "/tests/unit/store/names_decode.py"
#define HOUR INT64_C(3600000000000)

/* ---- what a table says, in the form of the decoder --------------------------------------------------- */

static void dump(const struct mem_table *mem, struct mr_buf *out)
{
    struct mem_schema schema;
    struct mem_counts counts;
    mem_schema_view(mem, &schema);
    mem_counts(mem, &counts);
    for (uint32_t i = 2; i < schema.ncolumns; i++)
        mr_buf_printf(out, "column %u role %d type %d " MR_STR_FMT "\n", i, (int)schema.columns[i].role,
                      (int)schema.columns[i].type, MR_STR_ARG(schema.columns[i].name));
    for (uint32_t i = 0; i < schema.nmeasures; i++)
        mr_buf_printf(out, "measure %u type %d " MR_STR_FMT "\n", i, (int)schema.measures[i].type,
                      MR_STR_ARG(schema.measures[i].name));
    for (uint32_t s = 0; s < counts.next_series; s++) {
        struct mem_dim dims[MEM_MAX_DIMENSIONS];
        uint32_t measure, ndims;
        if (!mem_series_key(mem, s, &measure, dims, &ndims))
            continue;
        mr_buf_printf(out, "series %u measure %u", s, measure);
        for (uint32_t d = 0; d < ndims; d++)
            mr_buf_printf(out, " %u=" MR_STR_FMT, (unsigned)dims[d].column, MR_STR_ARG(dims[d].value));
        mr_buf_char(out, '\n');
    }
    mr_buf_printf(out, "next %u\n", counts.next_series);
}

/* ---- files ------------------------------------------------------------------------------------------- */

static struct mr_buf read_bytes(const char *dir, const char *name)
{
    char path[1024];
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    check_ok(mr_io_read_file(&mr_io_posix, path, 16 << 20, &bytes, &err), &err);
    return bytes;
}

static void write_bytes(const char *dir, const char *name, struct mr_str bytes)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, dir, name, bytes, 0600, &err), &err);
}

/* Git does not keep the mode of the master key. */
static void copy_all(const char *from, const char *to)
{
    DIR *dir = opendir(from);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        struct mr_buf bytes = read_bytes(from, e->d_name);
        write_bytes(to, e->d_name, mr_buf_view(&bytes));
        mr_buf_release(&bytes);
    }
    closedir(dir);
}

static void read_files(const char *dir, struct mem_table *mem)
{
    struct seal_keyring *keyring;
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(seal_keyring_open(&mr_io_posix, dir, &keyring, &err), &err);
    check_ok(magstore_manifest_load(&mr_io_posix, dir, &m, &err), &err);
    assert_true(m.nfiles >= 3);
    for (size_t i = 0; i < m.nfiles; i++)
        check_ok(names_read(&mr_io_posix, dir, keyring, &m.files[i], mem, 0, &err), &err);
    magstore_manifest_release(&m);
    seal_keyring_close(keyring);
}

static void check_decoder(const char *dir, const struct mr_buf *want)
{
    char command[1024], bytes[4096];
    struct mr_buf got = MR_BUF_INIT;
    /* Debian's, which has the modules of tools/setup/packages-test.txt, whatever comes first in PATH */
    snprintf(command, sizeof command, "/usr/bin/python3 " DECODER " %s", dir);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, out)) != 0;)
        mr_buf_add(&got, bytes, n);
    assert_int_equal(pclose(out), 0);
    mr_buf_char(&got, '\0');
    check_str(mr_buf_view(want), got.ptr);
    mr_buf_release(&got);
}

/* ---- making them ------------------------------------------------------------------------------------- */

static void add_file(const char *dir, struct seal_keyring *keyring, struct names_kit *kit,
                     struct magstore_manifest *m, uint32_t from[static 3])
{
    struct magstore_file file;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(names_write(&mr_io_posix, dir, keyring, NAMES_DATABASE, NAMES_TABLE, m->next_file, kit->mem,
                         from[0], from[1], from[2], &file, &from[0], &from[1], &from[2], &err),
             &err);
    m->next_file++;
    assert_int_equal(magstore_manifest_add(m, &file), MR_OK);
}

/* Three files with a change of keys in between: `count` series of which some are gone again; more columns and
 * measure names, and a last file that has nothing. */
static void make(const char *dir, unsigned count)
{
    struct names_kit kit;
    struct seal_keyring *keyring;
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_buf text = MR_BUF_INIT;
    uint32_t from[3] = {0, 0, 0};
    names_kit_open(&kit);
    check_ok(seal_keyring_open(&mr_io_posix, dir, &keyring, &err), &err);
    for (unsigned n = 0; n < count; n++)
        names_kit_put(&kit, 1, n, 5, 3, n % 10 == 3 ? HOUR : 3 * HOUR);
    mem_evict(kit.mem, 2 * HOUR, kit.lsn);
    add_file(dir, keyring, &kit, &m, from);
    check_ok(seal_keyring_rotate(keyring, NAMES_DATABASE, &err), &err);
    for (unsigned n = 0; n < 40; n++)
        names_kit_put(&kit, 2, n, 20, 30, 3 * HOUR);
    add_file(dir, keyring, &kit, &m, from);
    add_file(dir, keyring, &kit, &m, from);
    check_ok(magstore_manifest_commit(&mr_io_posix, dir, &m, &err), &err);
    dump(kit.mem, &text);
    write_bytes(dir, "dump", mr_buf_view(&text));
    mr_buf_release(&text);
    magstore_manifest_release(&m);
    seal_keyring_close(keyring);
    names_kit_close(&kit);
}

/* ---- tests ------------------------------------------------------------------------------------------- */

static void check_dir(char *dir)
{
    struct names_kit kit;
    struct mr_buf got = MR_BUF_INIT, want = read_bytes(dir, "dump");
    names_kit_open(&kit);
    read_files(dir, kit.mem);
    dump(kit.mem, &got);
    assert_true(mr_str_eq(mr_buf_view(&got), mr_buf_view(&want)));
    check_decoder(dir, &want);
    mr_buf_release(&got);
    mr_buf_release(&want);
    names_kit_close(&kit);
    dir_remove(dir);
}

static void files_of_version_1(void **unused)
{
    MR_UNUSED(unused);
    char *dir = dir_make();
    copy_all(FROZEN, dir);
    check_dir(dir);
}

static void files_of_today(void **unused)
{
    MR_UNUSED(unused);
    char *dir = dir_make();
    make(dir, 10000); /* several frames */
    check_dir(dir);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_version_1),
        cmocka_unit_test(files_of_today),
    };
    if (argc > 1) {
        make(argv[1], 300);
        return 0;
    }
    return cmocka_run_group_tests_name("store/names_golden", tests, NULL, NULL);
}
