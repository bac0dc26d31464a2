/* client/settings.h - options, environment and profile, folded into one answer when a client opens.
 *
 * An option beats the environment, the environment beats the files. For endpoints the order is that of the
 * AWS SDKs: option, AWS_ENDPOINT_URL_TIMESTREAM_WRITE/_QUERY, AWS_ENDPOINT_URL, the profile's [services]
 * section, the profile's endpoint_url, else https://ingest.timestream.<region>.amazonaws.com and
 * query.timestream likewise (write-api reference 11.2, query-api reference 1).
 */
#ifndef MR_CLIENT_SETTINGS_H
#define MR_CLIENT_SETTINGS_H

#include "client/profile.h"
#include "client/url.h"

enum client_api {
    CLIENT_WRITE,
    CLIENT_QUERY,
    CLIENT_APIS,
};

struct client_settings {
    struct mr_str region;
    struct client_url endpoint[CLIENT_APIS];
    bool discover[CLIENT_APIS];
    int max_attempts;
    int connect_timeout_ms, timeout_ms;
    struct mr_str proxy;   /* ptr NULL: as the environment says */
    struct mr_str ca_file; /* ptr NULL: the system's */
    bool insecure;
    int idle_connections;
    struct mr_str user_agent;
};

/* Views point into the arena. MR_OK, MR_ENOMEM, MR_EINVAL with the error set. */
int client_settings_load(struct client_settings *out, const struct mr_options *options,
                         const struct profiles *profiles, const struct client_world *world,
                         struct mr_arena *arena, struct mr_error *err);

#endif
