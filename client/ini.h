/* client/ini.h - the format of ~/.aws/config and ~/.aws/credentials.
 *
 * [sections], `key = value` lines, comments from # or ; at the start of a line. A key with an empty value may
 * be followed by indented lines of the same form; those are its own settings and are found as "key.subkey".
 * Of a key that comes twice the last one counts, across sections of the same name too. A section name is kept
 * as its words with one blank between them and without quotes: [profile "blue"] is "profile blue".
 */
#ifndef MR_CLIENT_INI_H
#define MR_CLIENT_INI_H

#include "base/base.h"

struct ini_entry {
    struct mr_str section, key, value;
};

/* Starts zeroed. */
struct ini {
    struct ini_entry *at; /* owned */
    size_t len, cap;
};

/* Adds what the text holds. Views point into the arena. MR_OK, MR_ENOMEM, or MR_EINVAL; the error names
 * `path` and the line and never echoes what stands there. */
int client_ini_parse(struct ini *ini, struct mr_str text, const char *path, struct mr_arena *arena,
                     struct mr_error *err);
void client_ini_release(struct ini *ini);

/* MR_STR_NULL when there is none. */
struct mr_str client_ini_get(const struct ini *ini, struct mr_str section, struct mr_str key);
bool client_ini_has_section(const struct ini *ini, struct mr_str section);

#endif
