#include "server/access.h"

#include "base/io.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_CREDENTIALS ((size_t)1 << 20)

/* Whoever can write the file can be anybody; whoever can read it too. */
static int check_mode(const char *path, struct mr_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return mr_error_errno(err, mr_io_status(-errno), errno, "cannot read %s", path);
    if ((st.st_mode & 077) != 0)
        return mr_error_set(err, MR_EINVAL, "%s is open to other users (mode %03o); chmod 600 it", path,
                            (unsigned)(st.st_mode & 0777));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return mr_error_set(err, MR_EINVAL, "%s belongs to another user", path);
    return MR_OK;
}

static void wipe(struct mr_buf *file)
{
    if (file->ptr != NULL)
        explicit_bzero(file->ptr, file->len);
    mr_buf_release(file);
}

static int load_credentials(struct auth_keys *keys, const char *path, struct mr_error *err)
{
    struct mr_buf file = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    int status = mr_io_read_file(&mr_io_posix, path, MAX_CREDENTIALS, &file, err);
    if (status == MR_OK && (status = auth_keys_parse(keys, mr_buf_view(&file), &why)) != MR_OK)
        mr_error_set(err, status, "%s: %s", path, why.text);
    wipe(&file);
    return status;
}

static int add_keys(struct auth_keys *keys, const struct policy_users *users, struct mr_error *err)
{
    size_t n;
    const struct policy_user *list = policy_users_list(users, &n);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < list[i].nkeys; k++) {
            const struct policy_key *key = &list[i].keys[k];
            struct mr_error why = MR_ERROR_INIT;
            if (key->inactive)
                continue;
            int status = auth_keys_add(keys, list[i].name, key->id, key->secret, key->token, key->expires_ns,
                                       false, &why);
            if (status != MR_OK)
                return mr_error_set(err, status, "user '" MR_STR_FMT "': %s", MR_STR_ARG(list[i].name),
                                    why.text);
        }
    }
    return MR_OK;
}

static int load_users(struct auth_keys *keys, const char *path, struct policy_users **out,
                      struct mr_error *err)
{
    struct mr_buf file = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    int status = check_mode(path, err);
    if (status != MR_OK)
        return status;
    status = mr_io_read_file(&mr_io_posix, path, POLICY_MAX_USERS_TEXT, &file, &why);
    if (status == MR_OK)
        status = policy_users_parse(mr_buf_view(&file), out, &why);
    if (status == MR_OK)
        status = add_keys(keys, *out, &why);
    wipe(&file);
    if (status != MR_OK)
        return mr_error_set(err, status, "%s: %s", path, why.text);
    policy_users_forget_secrets(*out); /* the key set has its own copies */
    return MR_OK;
}

int access_load(const struct access_files *files, struct api_access **out, struct mr_error *err)
{
    struct auth_keys *keys = NULL;
    struct policy_users *users = NULL;
    int status = auth_keys_new(&keys);
    if (status == MR_OK)
        status = auth_keys_add(keys, MR_STR("root"), files->root_id, files->root_secret, MR_STR_NULL, 0, true,
                               err);
    if (status == MR_OK && files->credentials != NULL)
        status = load_credentials(keys, files->credentials, err);
    if (status == MR_OK && files->users != NULL)
        status = load_users(keys, files->users, &users, err);
    if (status == MR_OK)
        status = api_access_new(keys, users, out);
    if (status == MR_OK)
        return MR_OK;
    auth_keys_free(keys);
    policy_users_free(users);
    return mr_error_set(err, status, "out of memory reading access keys");
}
