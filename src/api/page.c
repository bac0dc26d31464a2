#include "api/page.h"

#include "api/state.h"

#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define VERSION 1
#define MAC_BYTES 32
#define HEAD_BYTES (1 + MAC_BYTES)
#define TOKEN_MAX 2048 /* characters; ours are far shorter */

/* Every part with its length in front, so that no two different scopes give the same bytes. */
static void add_part(struct mr_buf *text, struct mr_str part)
{
    mr_buf_u64(text, part.ptr != NULL ? part.len : UINT64_MAX);
    mr_buf_str(text, part);
}

static int make_mac(struct api_call *call, struct api_page_scope scope, struct mr_str last,
                    unsigned char mac[static MAC_BYTES])
{
    struct mr_buf text = MR_BUF_INIT;
    add_part(&text, mr_str_of(scope.operation));
    add_part(&text, scope.parameter);
    add_part(&text, last);
    bool ok = mr_buf_ok(&text) && HMAC(EVP_sha256(), call->api->state->token_key, API_SECRET_BYTES,
                                       (const unsigned char *)text.ptr, text.len, mac, NULL) != NULL;
    mr_buf_release(&text);
    return ok ? MR_OK : MR_ENOMEM;
}

struct mr_str api_page_token(struct api_call *call, struct api_page_scope scope, struct mr_str last)
{
    struct mr_buf raw = MR_BUF_INIT, text = MR_BUF_INIT;
    struct mr_str token = MR_STR_NULL;
    unsigned char mac[MAC_BYTES];
    if (make_mac(call, scope, last, mac) == MR_OK) {
        mr_buf_char(&raw, VERSION);
        mr_buf_add(&raw, mac, sizeof mac);
        mr_buf_str(&raw, last);
        mr_base64url_encode(mr_buf_view(&raw), &text);
        if (mr_buf_ok(&raw) && mr_buf_ok(&text))
            token = mr_arena_dup(call->arena, mr_buf_view(&text));
    }
    mr_buf_release(&raw);
    mr_buf_release(&text);
    return token;
}

int api_page_after(struct api_call *call, struct api_page_scope scope, struct mr_str token,
                   struct mr_str *last, struct model_fault *fault)
{
    struct mr_buf raw = MR_BUF_INIT;
    unsigned char mac[MAC_BYTES];
    int rc = MR_OK;
    *last = MR_STR_NULL;
    if (token.ptr == NULL)
        return MR_OK;
    bool good = token.len <= TOKEN_MAX && mr_base64url_decode(token, &raw) && raw.len >= HEAD_BYTES &&
                raw.ptr[0] == VERSION;
    if (good) {
        struct mr_str name = mr_str_slice(mr_buf_view(&raw), HEAD_BYTES, raw.len);
        rc = make_mac(call, scope, name, mac);
        good = rc == MR_OK && CRYPTO_memcmp(mac, raw.ptr + 1, MAC_BYTES) == 0;
        if (good)
            *last = mr_arena_dup(call->arena, name);
        if (good && last->ptr == NULL)
            rc = MR_ENOMEM;
    } else if (!mr_buf_ok(&raw)) {
        rc = MR_ENOMEM;
    }
    mr_buf_release(&raw);
    if (rc == MR_OK && !good)
        return model_fail(fault, MODEL_VALIDATION, call->arena, "Invalid NextToken.");
    return rc;
}
