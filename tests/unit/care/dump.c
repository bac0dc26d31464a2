/* A dump names every file and what is in it, and says no key. */
#include "kit.h"

#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

static char *dump(const char *path, bool contents, int want)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct mr_error err = MR_ERROR_INIT;
    const struct care_dump how = {NULL, contents};
    int status = care_dump(path, &how, out, &err);
    fclose(out);
    if (status != want)
        fail_msg("%s: %s", path, err.text);
    return text;
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no '%s' in:\n%s", part, text);
}

static void test_directory(void **state)
{
    struct care_kit kit;
    MR_UNUSED(state);
    care_kit_make(&kit);
    char *text = dump(kit.dir, true, MR_OK);
    has(text, "key scope=0 generation=1 newest wrapped_by=master at_hand=yes");
    has(text, "manifest manifest-");
    has(text, "measure 0 type=MULTI name=\"m\"");
    has(text, "series 0 measure=\"m\" \"host\"=\"a\"");
    has(text, "row series=0 time=3 version=1 3=1 4='a text'");
    has(text, "type=VARCHAR values=");
    has(text, "verdict ok");
    free(text);
    care_kit_release(&kit);
}

static void test_each_file(void **state)
{
    static const struct {
        const char *sub, *prefix, *says;
    } kinds[] = {{"store/files", "seg-", "segment seg-"},
                 {"store/files", "names-", "names names-"},
                 {"store/files", "manifest-", "wal_low="},
                 {"store/wal", "wal-", "segment wal-"},
                 {"store/keys", "keyring", "keyring keys=2"}};
    struct care_kit kit;
    MR_UNUSED(state);
    care_kit_make(&kit);
    for (size_t k = 0; k < MR_ARRAY_LEN(kinds); k++) {
        size_t n;
        char **paths = care_kit_paths(kit.dir, kinds[k].sub, kinds[k].prefix, &n);
        for (size_t i = 0; i < n; i++) {
            char *text = dump(paths[i], false, MR_OK);
            has(text, kinds[k].says);
            free(text);
        }
        care_kit_paths_free(paths, n);
    }
    free(dump(kit.store_dir, false, MR_EINVAL));
    care_kit_release(&kit);
}

static void test_damage(void **state)
{
    struct care_kit kit;
    size_t n;
    MR_UNUSED(state);
    care_kit_make(&kit);
    char **paths = care_kit_paths(kit.dir, "store/files", "seg-", &n);
    care_kit_flip(paths[0], 100);
    free(dump(paths[0], false, MR_ECORRUPT));
    char *text = dump(kit.dir, false, MR_ECORRUPT); /* the others all the same */
    has(text, "damaged \"");
    has(text, "verdict ok");
    free(text);
    care_kit_paths_free(paths, n);
    care_kit_release(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_each_file),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
