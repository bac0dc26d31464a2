/* fuzz/client_json.c - the library's own JSON parser and simdjson agree, on verdict and tree. */
#include "client/plain_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_arena a = MR_ARENA_INIT, b = MR_ARENA_INIT;
    struct json_doc mine, theirs;
    struct mr_error e1 = MR_ERROR_INIT, e2 = MR_ERROR_INIT;
    struct mr_str text = {(const char *)data, size};
    int rc = plain_json_parse(text, &a, &mine, &e1);
    MR_ASSERT(rc == json_parse(text, &b, &theirs, &e2));
    MR_ASSERT(rc != MR_OK || plain_same(json_root(&mine), json_root(&theirs)));
    mr_arena_release(&a);
    mr_arena_release(&b);
    return 0;
}
