#include "auth/session.h"

#include "auth/sigv4.h"

#include <openssl/crypto.h>

#include "base/cursor.h"
#include "base/rand.h"
#include "base/text.h"

#define VERSION 1
#define SECRET_BYTES 30

static int secret_of(const unsigned char *key, const unsigned char mac[static AUTH_HASH_LEN],
                     struct mr_arena *arena, struct mr_str *secret)
{
    char input[6 + AUTH_HASH_LEN];
    unsigned char hash[AUTH_HASH_LEN];
    struct mr_buf text = MR_BUF_INIT;
    memcpy(mempcpy(input, "secret", 6), mac, AUTH_HASH_LEN);
    int status = auth_hmac(key, AUTH_SESSION_KEY_BYTES, (struct mr_str){input, sizeof input}, hash);
    if (status == MR_OK) {
        mr_base64url_encode((struct mr_str){(const char *)hash, SECRET_BYTES}, &text);
        *secret = mr_buf_ok(&text) ? mr_arena_dup(arena, mr_buf_view(&text)) : MR_STR_NULL;
        status = secret->ptr != NULL ? MR_OK : MR_ENOMEM;
    }
    if (text.ptr != NULL)
        OPENSSL_cleanse(text.ptr, text.len);
    mr_buf_release(&text);
    OPENSSL_cleanse(hash, sizeof hash);
    return status;
}

static void put_text(struct mr_buf *to, struct mr_str text)
{
    mr_buf_varint(to, text.len);
    mr_buf_str(to, text);
}

int auth_session_issue(const unsigned char key[static AUTH_SESSION_KEY_BYTES],
                       const struct auth_session *session, struct mr_arena *arena, struct mr_str *id,
                       struct mr_str *secret, struct mr_str *token)
{
    char random[17];
    unsigned char mac[AUTH_HASH_LEN];
    struct mr_buf bytes = MR_BUF_INIT, text = MR_BUF_INIT;
    mr_base32_random(16, random);
    *id = mr_arena_printf(arena, "ASIA%s", random);
    mr_buf_char(&bytes, VERSION);
    mr_buf_u64(&bytes, (uint64_t)session->expires_ns);
    mr_buf_u64(&bytes, (uint64_t)session->issued_ns);
    put_text(&bytes, *id);
    put_text(&bytes, session->issuer);
    put_text(&bytes, session->user);
    put_text(&bytes, session->role);
    put_text(&bytes, session->name);
    put_text(&bytes, session->policy);
    int status = id->ptr != NULL && mr_buf_ok(&bytes)
                     ? auth_hmac(key, AUTH_SESSION_KEY_BYTES, mr_buf_view(&bytes), mac)
                     : MR_ENOMEM;
    if (status != MR_OK)
        goto done;
    mr_buf_add(&bytes, mac, sizeof mac);
    mr_base64url_encode(mr_buf_view(&bytes), &text);
    *token = mr_buf_ok(&bytes) && mr_buf_ok(&text) ? mr_arena_dup(arena, mr_buf_view(&text)) : MR_STR_NULL;
    status = token->ptr == NULL                    ? MR_ENOMEM
             : token->len > AUTH_SESSION_MAX_TOKEN ? MR_ELIMIT
                                                   : secret_of(key, mac, arena, secret);
done:
    mr_buf_release(&bytes);
    mr_buf_release(&text);
    return status;
}

static struct mr_str take_text(struct mr_cursor *c)
{
    uint64_t len = mr_cursor_varint(c);
    if (len > c->left)
        c->bad = true;
    return mr_cursor_bytes(c, c->bad ? 0 : (size_t)len);
}

/* Only after the HMAC: what is read here was written by issue. */
static bool read_fields(struct mr_str bytes, struct auth_session *session)
{
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    if (mr_cursor_u8(&c) != VERSION)
        return false;
    session->expires_ns = (int64_t)mr_cursor_u64(&c);
    session->issued_ns = (int64_t)mr_cursor_u64(&c);
    session->id = take_text(&c);
    session->issuer = take_text(&c);
    session->user = take_text(&c);
    session->role = take_text(&c);
    session->name = take_text(&c);
    session->policy = take_text(&c);
    return !c.bad && c.left == 0;
}

int auth_session_open(const unsigned char key[static AUTH_SESSION_KEY_BYTES], struct mr_str token,
                      struct mr_arena *arena, struct auth_session *session, struct mr_str *secret)
{
    unsigned char mac[AUTH_HASH_LEN];
    struct mr_buf raw = MR_BUF_INIT, again = MR_BUF_INIT;
    int status = MR_EDENIED;
    *session = (struct auth_session){0};
    if (token.len > AUTH_SESSION_MAX_TOKEN || !mr_base64url_decode(token, &raw) || raw.len <= AUTH_HASH_LEN)
        goto done;
    mr_base64url_encode(mr_buf_view(&raw), &again); /* one spelling only: the last character has spare bits */
    struct mr_str bytes = mr_arena_dup(arena, mr_buf_view(&raw));
    if (bytes.ptr == NULL || !mr_buf_ok(&again)) {
        status = MR_ENOMEM;
        goto done;
    }
    bytes.len -= AUTH_HASH_LEN;
    status = auth_hmac(key, AUTH_SESSION_KEY_BYTES, bytes, mac);
    if (status != MR_OK)
        goto done;
    bool ours = CRYPTO_memcmp(mac, bytes.ptr + bytes.len, AUTH_HASH_LEN) == 0;
    status = ours && mr_str_eq(mr_buf_view(&again), token) && read_fields(bytes, session)
                 ? secret_of(key, mac, arena, secret)
                 : MR_EDENIED;
done:
    if (status == MR_EDENIED && raw.failed)
        status = MR_ENOMEM;
    mr_buf_release(&raw);
    mr_buf_release(&again);
    return status;
}

int auth_unique_id(const unsigned char key[static AUTH_SESSION_KEY_BYTES], const char prefix[static 5],
                   struct mr_str name, char out[static 22])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char hash[AUTH_HASH_LEN];
    struct mr_buf text = MR_BUF_INIT;
    mr_buf_printf(&text, "id %s " MR_STR_FMT, prefix, MR_STR_ARG(name));
    int status =
        mr_buf_ok(&text) ? auth_hmac(key, AUTH_SESSION_KEY_BYTES, mr_buf_view(&text), hash) : MR_ENOMEM;
    memcpy(out, prefix, 4);
    for (size_t i = 0; i < 17 && status == MR_OK; i++)
        out[4 + i] = alphabet[hash[i] & 31];
    out[21] = '\0';
    mr_buf_release(&text);
    return status;
}
