/* Query authentication: any request is judged without harm; what auth_presign makes is accepted; and with one
 * parameter more it is refused. The credentials file rides along: it is the other text of this room. */
#include "sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_as_keys(const uint8_t *data, size_t size)
{
    struct auth_keys *keys;
    struct mr_error err = MR_ERROR_INIT;
    MR_ASSERT(auth_keys_new(&keys) == MR_OK);
    if (auth_keys_parse(keys, (struct mr_str){(const char *)data, size}, &err) != MR_OK)
        MR_ASSERT(mr_str_starts(mr_str_of(err.text), MR_STR("line ")));
    auth_keys_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_request r;
    fuzz_request_read(&r, data, size);
    fuzz_verify(&r.req);
    if (size > 0 && (data[0] == '[' || data[0] == '#'))
        parse_as_keys(data, size);

    struct auth_credentials cred = fuzz_credentials();
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_str query;
    bool other_reasons = size >= 900; /* too many parameters */
    for (size_t i = 0; i < r.req.nheaders; i++)
        other_reasons = other_reasons || mr_str_ieq(mr_str_slice(r.headers[i].name, 0, 6), MR_STR("x-amz-"));
    for (size_t i = 0; i < r.req.query.len; i++) /* may name a parameter of the signature already */
        other_reasons = other_reasons || r.req.query.ptr[i] == 'X' || r.req.query.ptr[i] == '%';
    int status = auth_presign(&cred, &r.req, FUZZ_NOW, 900, &arena, &query);
    if (status == MR_OK) {
        r.req.query = query;
        status = fuzz_verify(&r.req);
        MR_ASSERT(status == MR_OK || other_reasons);
        r.req.query = mr_arena_printf(&arena, MR_STR_FMT "&a=b", MR_STR_ARG(query));
        MR_ASSERT(r.req.query.ptr != NULL && fuzz_verify(&r.req) != MR_OK);
    } else {
        MR_ASSERT(status == MR_EINVAL);
    }
    mr_arena_release(&arena);
    return 0;
}
