/* client/url.h - the few URLs a client meets: scheme, host, port, path; nothing else is let in. */
#ifndef MR_CLIENT_URL_H
#define MR_CLIENT_URL_H

#include "base/base.h"

struct client_url {
    bool tls;
    struct mr_str
        host; /* as it goes into the Host header: with the port when it is not the scheme's default */
    struct mr_str name; /* the host alone, an IPv6 address without brackets */
    struct mr_str path; /* begins with '/', percent-encoded as it came */
    struct mr_str text; /* scheme://host/path, NUL-terminated */
};

/* http and https; no user names, queries or fragments; blanks and control characters are refused. Views point
 * into the arena. MR_OK, MR_EINVAL, MR_ENOMEM. */
int client_url_parse(struct mr_str text, struct mr_arena *arena, struct client_url *out);

/* localhost, 127.0.0.0/8, ::1 */
bool client_url_is_loopback(const struct client_url *url);

#endif
