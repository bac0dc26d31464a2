/* Header authentication: any request is judged without harm; what auth_sign signs is accepted; and with
 * another body it is refused. */
#include "sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_request r;
    fuzz_request_read(&r, data, size);
    fuzz_verify(&r.req);

    struct auth_credentials cred = fuzz_credentials();
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_pair fresh[4];
    size_t n = 0, content_hashes = 0, algorithms = 0;
    int status = auth_sign(&cred, &r.req, FUZZ_NOW, &arena, fresh, &n);
    if (status == MR_OK) {
        for (size_t i = 0; i < r.req.nheaders; i++) /* a declared hash may be wrong, and is then refused */
            content_hashes += mr_str_ieq(r.headers[i].name, MR_STR("x-amz-content-sha256")) ||
                              mr_str_ieq(r.headers[i].name, MR_STR("x-amz-security-token"));
        for (size_t i = 0; i + 2 < r.req.query.len; i++) /* looks presigned, and is then refused as both */
            algorithms += r.req.query.ptr[i] == 'A' || r.req.query.ptr[i] == '%';
        memcpy(r.headers + r.req.nheaders, fresh, n * sizeof *fresh);
        r.req.nheaders += n;
        status = fuzz_verify(&r.req);
        bool small = size < 8192;
        if (content_hashes == 0 && algorithms == 0 && small)
            MR_ASSERT(status == MR_OK);
        r.req.body = mr_str_eq(r.req.body, MR_STR("x")) ? MR_STR("y") : MR_STR("x");
        MR_ASSERT(fuzz_verify(&r.req) != MR_OK);
    } else {
        MR_ASSERT(status == MR_EINVAL && n == 0);
    }
    mr_arena_release(&arena);
    return 0;
}
