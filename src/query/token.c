/* Page tokens are random bytes that name a run, and the number of a page: nothing to forge, nothing to
 * decode. */
#include "query/run.h"

#include "base/text.h"

#define TOKEN_BYTES (1 + QUERY_SECRET_BYTES + 8)

void query_token_make(const struct query_run *run, uint64_t page, struct mr_buf *out)
{
    char raw[TOKEN_BYTES];
    raw[0] = 1;
    memcpy(raw + 1, run->secret, QUERY_SECRET_BYTES);
    memcpy(raw + 1 + QUERY_SECRET_BYTES, &page, sizeof page);
    mr_base64url_encode((struct mr_str){raw, sizeof raw}, out);
}

bool query_token_parse(struct mr_str token, unsigned char secret[static QUERY_SECRET_BYTES], uint64_t *page)
{
    struct mr_buf raw = MR_BUF_INIT;
    bool ok = token.len < 2 * TOKEN_BYTES && mr_base64url_decode(token, &raw) && raw.len == TOKEN_BYTES &&
              raw.ptr[0] == 1;
    if (ok) {
        memcpy(secret, raw.ptr + 1, QUERY_SECRET_BYTES);
        memcpy(page, raw.ptr + 1 + QUERY_SECRET_BYTES, sizeof *page);
    }
    mr_buf_release(&raw);
    return ok;
}
