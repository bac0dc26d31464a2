/* fuzz/client_config.c - a configuration file, and its values as the URLs, credentials and commands they may
 * become. */
#include "client/credentials.h"
#include "client/ini.h"
#include "client/process.h"
#include "client/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_arena arena = {.limit = 64 << 20};
    struct ini ini = {NULL, 0, 0};
    struct mr_error err = MR_ERROR_INIT;
    struct mr_str text = {(const char *)data, size};
    int rc = client_ini_parse(&ini, text, "file", &arena, &err);
    MR_ASSERT(rc == MR_OK || rc == MR_EINVAL || rc == MR_ENOMEM);
    MR_ASSERT((rc == MR_EINVAL) == (err.text[0] != '\0'));
    for (size_t i = 0; i < ini.len; i++) {
        struct client_url url;
        MR_ASSERT(ini.at[i].section.ptr != NULL && client_ini_has_section(&ini, ini.at[i].section));
        MR_ASSERT(client_ini_get(&ini, ini.at[i].section, ini.at[i].key).ptr != NULL);
        if (i < 16 && client_url_parse(ini.at[i].value, &arena, &url) == MR_OK) {
            MR_ASSERT(url.host.len > 0 && url.path.ptr[0] == '/' && url.text.ptr[url.text.len] == '\0');
            (void)client_url_is_loopback(&url);
        }
    }
    struct credential_set set = {.expires_ns = 0};
    struct mr_error why = MR_ERROR_INIT;
    rc = client_credentials_from_json(text, &set, &why);
    MR_ASSERT(rc != MR_OK || (set.id.len > 0 && set.secret.len > 0));
    client_credential_set_release(&set);
    struct credential_set role = {.expires_ns = 0};
    struct mr_error denied = MR_ERROR_INIT;
    rc = client_credentials_from_xml(size % 2 == 0 ? 200 : 403, text, &role, &denied);
    MR_ASSERT((rc == MR_OK && role.id.len > 0 && role.secret.len > 0 && role.token.len > 0) ||
              rc == MR_ENOMEM || denied.text[0] != '\0');
    client_credential_set_release(&role);
    const char **words;
    rc = client_process_words(text, &arena, &words);
    MR_ASSERT(rc != MR_OK || words[0] != NULL);
    client_ini_release(&ini);
    mr_arena_release(&arena);
    return 0;
}
