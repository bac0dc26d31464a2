/* client/profile.h - the shared files of the AWS command line, and what a profile in them says.
 *
 * A setting of a profile is looked for in the credentials file ([name]) and then in the config file ([profile
 * name], and [default] for the default one). Files are read once.
 */
#ifndef MR_CLIENT_PROFILE_H
#define MR_CLIENT_PROFILE_H

#include "client/ini.h"
#include "client/world.h"

/* Starts zeroed. */
struct profiles {
    struct ini config, credentials;
    struct mr_arena arena;
    struct mr_str name; /* the chosen profile */
    bool asked;         /* it was named by somebody, and is not just the default */
};

/* Chooses the profile (option, AWS_PROFILE, AWS_DEFAULT_PROFILE, "default") and reads both files; a file that
 * is not there is empty. MR_OK, MR_ENOMEM, or MR_EINVAL with the error set: an unreadable or broken file, or
 * a profile that was asked for and is in neither. */
int client_profiles_load(struct profiles *profiles, const struct mr_options *options,
                         const struct client_world *world, struct mr_error *err);
void client_profiles_release(struct profiles *profiles);

/* Of the chosen profile; MR_STR_NULL when it is absent or empty. */
struct mr_str client_profiles_get(const struct profiles *profiles, const char *key);
/* The same of another one, which another profile names. */
struct mr_str client_profiles_get_of(const struct profiles *profiles, struct mr_str name, const char *key);
bool client_profiles_have(const struct profiles *profiles, struct mr_str name);
/* endpoint_url of the profile's [services ...] section for "timestream_write" or "timestream_query". */
struct mr_str client_profiles_service_endpoint(const struct profiles *profiles, const char *service);

#endif
