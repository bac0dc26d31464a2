/* Page tokens are random bytes that name a run, the number of a page, and a few random bytes more: nothing to
 * forge, nothing to decode, and no token twice. A call that has to come again for the same page gets another
 * token, for SDKs' paginators take one that repeats for an endless loop. */
#include "query/run.h"

#include "base/rand.h"
#include "base/text.h"

#define SALT_BYTES 4
#define TOKEN_BYTES (1 + QUERY_SECRET_BYTES + 8 + SALT_BYTES)

void query_token_make(const struct query_run *run, uint64_t page, struct mr_buf *out)
{
    char raw[TOKEN_BYTES];
    raw[0] = 2;
    memcpy(raw + 1, run->secret, QUERY_SECRET_BYTES);
    memcpy(raw + 1 + QUERY_SECRET_BYTES, &page, sizeof page);
    mr_random_bytes(raw + TOKEN_BYTES - SALT_BYTES, SALT_BYTES);
    mr_base64url_encode((struct mr_str){raw, sizeof raw}, out);
}

bool query_token_parse(struct mr_str token, unsigned char secret[static QUERY_SECRET_BYTES], uint64_t *page)
{
    struct mr_buf raw = MR_BUF_INIT;
    bool ok = token.len < 2 * TOKEN_BYTES && mr_base64url_decode(token, &raw) && raw.len == TOKEN_BYTES &&
              raw.ptr[0] == 2;
    if (ok) {
        memcpy(secret, raw.ptr + 1, QUERY_SECRET_BYTES);
        memcpy(page, raw.ptr + 1 + QUERY_SECRET_BYTES, sizeof *page);
    }
    mr_buf_release(&raw);
    return ok;
}
