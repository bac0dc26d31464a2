/* server/access.h - the key set of the server: the root pair, --credentials and --users.
 *
 * The root key may do everything. Without --users so may the keys of --credentials. With it, every other key
 * is judged by the policies of the user it belongs to, that of --credentials whose section has the user's
 * name too; a user without policies may do nothing. Section [root] of --credentials stays a root key.
 */
#ifndef MR_SERVER_ACCESS_H
#define MR_SERVER_ACCESS_H

#include "api/access.h"

struct access_files {
    struct mr_str root_id, root_secret;
    const char *credentials, *users; /* paths; NULL: none */
};

/* Reads the files. The users file must belong to the user that runs the server or to root and be closed to
 * everybody else (mode 0600 or less). Texts name the file and never echo a secret. */
int access_load(const struct access_files *files, struct api_access **out, struct mr_error *err);

#endif
