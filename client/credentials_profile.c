/* What a profile says about who signs, and the profiles it builds on. */
#include "client/credentials.h"

#include "client/process.h"

#define PROFILES_DEEP 8 /* source_profile of source_profile ... */

static struct mr_str get(const struct credentials *c, struct mr_str profile, const char *key)
{
    return client_profiles_get_of(c->profiles, profile, key);
}

static int fixed_of(const struct credentials *c, struct mr_str profile, struct credential_set *set,
                    struct mr_error *err)
{
    return client_credentials_fixed(set, get(c, profile, "aws_access_key_id"),
                                    get(c, profile, "aws_secret_access_key"),
                                    get(c, profile, "aws_session_token"), "profile", err);
}

static int from_process(const struct credentials *c, struct mr_str line, struct credential_set *set,
                        struct mr_error *err)
{
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_buf printed = MR_BUF_INIT;
    const char **words;
    int rc = client_process_words(line, &tmp, &words);
    if (rc == MR_EINVAL)
        rc = mr_error_set(err, MR_EINVAL, "The credential_process of the profile is no command.");
    if (rc == MR_OK)
        rc = c->world->run(words, &printed, err);
    if (rc == MR_OK)
        rc = client_credentials_from_json(mr_buf_view(&printed), set, err);
    if (printed.ptr != NULL)
        explicit_bzero(printed.ptr, printed.cap);
    mr_buf_release(&printed);
    mr_arena_release(&tmp);
    return rc;
}

/* ---- roles ---- */

static int from_named(const struct credentials *c, struct mr_str profile, int depth,
                      struct credential_set *set, struct mr_error *err);

/* credential_source: who assumes the role is not in a profile. */
static int from_source(const struct credentials *c, struct mr_str source, struct credential_set *set,
                       struct mr_error *err)
{
    if (mr_str_eq(source, MR_STR("Environment")))
        return client_credentials_fixed(set, mr_str_of(client_env(c->world, "AWS_ACCESS_KEY_ID")),
                                        mr_str_of(client_env(c->world, "AWS_SECRET_ACCESS_KEY")),
                                        mr_str_of(client_env(c->world, "AWS_SESSION_TOKEN")), "environment",
                                        err);
    if (mr_str_eq(source, MR_STR("EcsContainer")))
        return client_credentials_from_container(c->world, set, err);
    if (mr_str_eq(source, MR_STR("Ec2InstanceMetadata")))
        return client_credentials_from_instance(c->world, set, err);
    return mr_error_set(err, MR_EINVAL,
                        "credential_source must be Environment, EcsContainer or "
                        "Ec2InstanceMetadata.");
}

/* Who assumes the role: another profile, this one's own keys, or a source. */
static int role_signer(const struct credentials *c, struct mr_str profile, int depth,
                       struct credential_set *who, struct mr_error *err)
{
    struct mr_str other = get(c, profile, "source_profile"), source = get(c, profile, "credential_source");
    int rc;
    if ((other.ptr != NULL) == (source.ptr != NULL))
        return mr_error_set(err, MR_EINVAL,
                            "The profile " MR_STR_FMT " has a role_arn and needs one of source_profile, "
                            "credential_source and web_identity_token_file.",
                            MR_STR_ARG(profile));
    if (source.ptr != NULL)
        rc = from_source(c, source, who, err);
    else if (!client_profiles_have(c->profiles, other))
        rc = mr_error_set(err, MR_EINVAL,
                          "There is no profile " MR_STR_FMT ", which " MR_STR_FMT " builds on.",
                          MR_STR_ARG(other), MR_STR_ARG(profile));
    else
        rc = mr_str_eq(other, profile) ? fixed_of(c, profile, who, err)
                                       : from_named(c, other, depth + 1, who, err);
    if (rc == MR_ENOENT)
        rc = mr_error_set(err, MR_EINVAL, "What the profile " MR_STR_FMT " builds on has no credentials.",
                          MR_STR_ARG(profile));
    return rc;
}

static int from_role(const struct credentials *c, struct mr_str profile, int depth,
                     struct credential_set *set, struct mr_error *err)
{
    struct credential_set who = {.expires_ns = 0};
    struct credential_role role = {.arn = get(c, profile, "role_arn"),
                                   .session = get(c, profile, "role_session_name"),
                                   .external_id = get(c, profile, "external_id"),
                                   .seconds = get(c, profile, "duration_seconds"),
                                   .token_file = get(c, profile, "web_identity_token_file"),
                                   .who = &who};
    int rc = MR_OK;
    if (get(c, profile, "mfa_serial").ptr != NULL)
        return mr_error_set(err, MR_EUNSUPPORTED,
                            "The profile " MR_STR_FMT
                            " asks for a code by mfa_serial, which this library does "
                            "not do: a credential_process can.",
                            MR_STR_ARG(profile));
    if (role.token_file.ptr == NULL)
        rc = role_signer(c, profile, depth, &who, err);
    if (rc == MR_OK)
        rc = client_credentials_assume(c, &role, set, err);
    client_credential_set_release(&who);
    return rc;
}

/* NOLINTNEXTLINE(misc-no-recursion): PROFILES_DEEP */
static int from_named(const struct credentials *c, struct mr_str profile, int depth,
                      struct credential_set *set, struct mr_error *err)
{
    if (depth > PROFILES_DEEP)
        return mr_error_set(err, MR_EINVAL, "The source_profile of " MR_STR_FMT " leads in a ring.",
                            MR_STR_ARG(profile));
    if (get(c, profile, "role_arn").ptr != NULL)
        return from_role(c, profile, depth, set, err);
    int rc = fixed_of(c, profile, set, err);
    if (rc != MR_ENOENT)
        return rc;
    struct mr_str process = get(c, profile, "credential_process");
    if (process.ptr != NULL)
        return from_process(c, process, set, err);
    return client_credentials_from_sso(c, profile, set, err);
}

int client_credentials_from_profile(const struct credentials *c, struct credential_set *set,
                                    struct mr_error *err)
{
    int rc = from_named(c, c->profiles->name, 0, set, err);
    if (rc == MR_ENOENT && c->options->profile != NULL)
        return mr_error_set(err, MR_ENOENT, "The profile " MR_STR_FMT " has no credentials.",
                            MR_STR_ARG(c->profiles->name));
    return rc;
}

int client_credentials_from_web_identity(const struct credentials *c, struct credential_set *set,
                                         struct mr_error *err)
{
    struct credential_role role = {.token_file =
                                       mr_str_of(client_env(c->world, "AWS_WEB_IDENTITY_TOKEN_FILE")),
                                   .arn = mr_str_of(client_env(c->world, "AWS_ROLE_ARN")),
                                   .session = mr_str_of(client_env(c->world, "AWS_ROLE_SESSION_NAME"))};
    if (role.token_file.ptr == NULL || c->options->profile != NULL)
        return MR_ENOENT;
    if (role.arn.ptr == NULL)
        return mr_error_set(err, MR_EINVAL, "AWS_WEB_IDENTITY_TOKEN_FILE needs AWS_ROLE_ARN.");
    return client_credentials_assume(c, &role, set, err);
}
