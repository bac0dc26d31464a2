/* fuzz/cli_unload.c - the two documents of an UNLOAD, in front of and behind the first zero byte. No path may
 * leave the folder. */
#include "cli/unload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_str all = {(const char *)data, size};
    size_t zero = mr_str_find(all, '\0', 0);
    struct unload u = {.parquet = false};
    struct mr_error err = MR_ERROR_INIT;
    int rc = cli_unload_parse(&u, mr_str_slice(all, 0, zero), mr_str_slice(all, zero + 1, size), &err);
    MR_ASSERT(rc == MR_OK || err.text[0] != '\0');
    for (size_t i = 0; rc == MR_OK && i < u.nfiles; i++) {
        struct mr_str path = u.files[i].path;
        MR_ASSERT(mr_str_starts(path, MR_STR("results/")) && strlen(path.ptr) == path.len &&
                  u.files[i].rows >= 0);
        MR_ASSERT(strstr(path.ptr, "/../") == NULL && u.files[i].npartition <= path.len);
    }
    cli_unload_release(&u);
    return 0;
}
