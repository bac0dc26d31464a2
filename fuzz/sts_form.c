/* fuzz/sts_form.c - any bytes as the form of an STS call, and as a session token. What a form holds can be
 * found and written as XML; no token is one of ours. */
#include "api/form.h"
#include "auth/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char key[AUTH_SESSION_KEY_BYTES] = {1};
    struct mr_str body = {(const char *)data, size};
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf xml = MR_BUF_INIT;
    struct mr_pair *fields;
    struct auth_session session;
    struct mr_str secret;
    size_t n;
    int status = api_form_read(body, &arena, &fields, &n);
    MR_ASSERT(status == MR_OK || status == MR_EINVAL);
    for (size_t i = 0; status == MR_OK && i < n; i++) {
        MR_ASSERT(api_form_get(fields, n, fields[i].name).ptr == fields[i].value.ptr);
        api_xml_text(&xml, fields[i].value);
    }
    MR_ASSERT(xml.len == 0 ||
              (memchr(xml.ptr, '<', xml.len) == NULL && memchr(xml.ptr, '>', xml.len) == NULL));
    MR_ASSERT(auth_session_open(key, body, &arena, &session, &secret) == MR_EDENIED);
    mr_buf_release(&xml);
    mr_arena_release(&arena);
    return 0;
}
