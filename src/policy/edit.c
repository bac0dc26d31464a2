#include "policy/edit.h"

#include "base/io.h"
#include "base/rand.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of the path with its links resolved, and the name in it; a file that is a link is followed. */
static int resolve(const char *path, struct policy_edit *edit, struct mr_error *err)
{
    char whole[PATH_MAX], folder[PATH_MAX];
    if (realpath(path, whole) == NULL) {
        const char *slash = strrchr(path, '/');
        struct mr_str dir = slash == NULL ? MR_STR(".") : (struct mr_str){path, (size_t)(slash - path) + 1};
        if (errno != ENOENT || dir.len >= sizeof folder)
            return mr_error_errno(err, mr_io_status(-errno), errno, "cannot use %s", path);
        memcpy(folder, dir.ptr, dir.len);
        folder[dir.len] = '\0';
        char *real = realpath(folder, NULL);
        if (real == NULL)
            return mr_error_errno(err, mr_io_status(-errno), errno, "cannot use the folder of %s", path);
        int n = snprintf(whole, sizeof whole, "%s/%s", real, slash != NULL ? slash + 1 : path);
        free(real);
        if (n >= (int)sizeof whole)
            return mr_error_set(err, MR_EINVAL, "the path %s is too long", path);
    }
    edit->path = mr_strndup(whole, strlen(whole));
    return edit->path != NULL ? MR_OK : mr_error_set(err, MR_ENOMEM, "out of memory");
}

/* A path beside the file. */
static char *beside(const struct policy_edit *edit, const char *suffix)
{
    struct mr_buf b = MR_BUF_INIT;
    mr_buf_printf(&b, "%s%s", edit->path, suffix);
    char *path = mr_buf_ok(&b) ? mr_strndup(b.ptr, b.len) : NULL;
    mr_buf_release(&b);
    return path;
}

/* The lock file stays: to remove it would let two editors hold one each. */
static int take_lock(struct policy_edit *edit, struct mr_error *err)
{
    char *path = beside(edit, ".lock");
    if (path == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    int status = MR_OK;
    edit->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (edit->lock_fd < 0)
        status = mr_error_errno(err, mr_io_status(-errno), errno, "cannot open %s", path);
    while (status == MR_OK && flock(edit->lock_fd, LOCK_EX) != 0)
        if (errno != EINTR)
            status = mr_error_errno(err, MR_EIO, errno, "cannot lock %s", path);
    mr_free(path);
    return status;
}

static void wipe(struct mr_buf *bytes)
{
    if (bytes->ptr != NULL)
        explicit_bzero(bytes->ptr, bytes->len);
    mr_buf_release(bytes);
}

/* What the server would say of it. */
static int check(const struct policy_edit *edit, struct mr_str text, struct mr_error *err)
{
    struct policy_users *users = NULL;
    struct mr_error why = MR_ERROR_INIT;
    int status = policy_users_parse(text, &users, &why);
    policy_users_free(users);
    return status == MR_OK ? MR_OK : mr_error_set(err, status, "%s: %s", edit->path, why.text);
}

static int read_tree(struct policy_edit *edit, struct mr_str text, struct mr_error *err)
{
    struct json_doc doc;
    struct mr_arena parsed = MR_ARENA_INIT;
    int status = check(edit, text, err);
    if (status == MR_OK)
        status = json_parse(text, &parsed, &doc, err);
    if (status == MR_OK && (edit->root = json_tree_copy(&edit->arena, json_root(&doc))) == NULL)
        status = mr_error_set(err, MR_ENOMEM, "out of memory reading %s", edit->path);
    mr_arena_release(&parsed);
    return status;
}

static int read_file(struct policy_edit *edit, bool make, struct mr_error *err)
{
    struct mr_buf text = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    struct stat st;
    int status = mr_io_read_file(&mr_io_posix, edit->path, POLICY_MAX_USERS_TEXT, &text, &why);
    edit->fresh = status == MR_ENOENT && make;
    if (edit->fresh) {
        mr_buf_str(&text, MR_STR("{\"Policies\":{},\"Users\":{}}"));
        status = mr_buf_ok(&text) ? MR_OK : MR_ENOMEM;
    } else if (status == MR_OK && stat(edit->path, &st) == 0) {
        edit->owner = st.st_uid;
        edit->group = st.st_gid;
    }
    if (status == MR_OK)
        status = read_tree(edit, mr_buf_view(&text), err);
    wipe(&text);
    return status == MR_OK ? MR_OK : mr_error_set(err, status, "%s", why.text);
}

int policy_edit_open(const char *path, enum policy_edit_mode mode, struct policy_edit *edit,
                     struct mr_error *err)
{
    *edit = (struct policy_edit)POLICY_EDIT_INIT;
    int status = resolve(path, edit, err);
    if (status == MR_OK && mode != POLICY_EDIT_READ)
        status = take_lock(edit, err);
    return status == MR_OK ? read_file(edit, mode == POLICY_EDIT_MAKE, err) : status;
}

/* FILE.new beside FILE, on disk, owned as FILE is. */
static int write_new(const struct policy_edit *edit, const char *path, struct mr_str text,
                     struct mr_error *err)
{
    if (unlink(path) != 0 && errno != ENOENT) /* what a crash left */
        return mr_error_errno(err, MR_EIO, errno, "cannot remove %s", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(-errno), errno, "cannot create %s", path);
    int status = MR_OK;
    if (fchmod(fd, 0600) != 0 || (!edit->fresh && (edit->owner != geteuid() || edit->group != getegid()) &&
                                  fchown(fd, edit->owner, edit->group) != 0))
        status = mr_error_errno(err, MR_EIO, errno, "cannot give %s the owner of %s", path, edit->path);
    if (status == MR_OK)
        status = mr_io_pwrite_full(&mr_io_posix, fd, text.ptr, text.len, 0, path, err);
    if (status == MR_OK && fsync(fd) != 0)
        status = mr_error_errno(err, MR_EIO, errno, "cannot sync %s", path);
    if (close(fd) != 0 && status == MR_OK)
        status = mr_error_errno(err, MR_EIO, errno, "cannot close %s", path);
    if (status != MR_OK)
        (void)unlink(path); /* nobody reads it; the next save removes it */
    return status;
}

static int replace(struct policy_edit *edit, struct mr_str text, struct mr_error *err)
{
    char *path = beside(edit, ".new");
    if (path == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory writing %s", edit->path);
    int status = write_new(edit, path, text, err);
    if (status == MR_OK && rename(path, edit->path) != 0)
        status = mr_error_errno(err, mr_io_status(-errno), errno, "cannot replace %s", edit->path);
    mr_free(path);
    char *slash = strrchr(edit->path, '/');
    if (status != MR_OK || slash == NULL)
        return status;
    *slash = '\0';
    status = mr_io_sync_dir(&mr_io_posix, edit->path[0] != '\0' ? edit->path : "/", err);
    *slash = '/';
    return status;
}

int policy_edit_save(struct policy_edit *edit, struct mr_error *err)
{
    MR_ASSERT(edit->lock_fd >= 0);
    struct mr_buf text = MR_BUF_INIT;
    json_tree_write(edit->root, &text);
    int status = mr_buf_ok(&text) ? check(edit, mr_buf_view(&text), err)
                                  : mr_error_set(err, MR_ENOMEM, "out of memory writing %s", edit->path);
    if (status == MR_OK)
        status = replace(edit, mr_buf_view(&text), err);
    wipe(&text);
    return status;
}

void policy_edit_close(struct policy_edit *edit)
{
    if (edit->lock_fd >= 0)
        close(edit->lock_fd);
    mr_free(edit->path);
    mr_arena_release(&edit->arena);
    *edit = (struct policy_edit)POLICY_EDIT_INIT;
}

/* ---- changes ---- */

static int no_memory(struct mr_error *err)
{
    return mr_error_set(err, MR_ENOMEM, "out of memory");
}

int policy_edit_user(struct policy_edit *edit, struct mr_str name, struct json_node **out,
                     struct mr_error *err)
{
    *out = json_tree_get(json_tree_get(edit->root, MR_STR("Users")), name);
    if (*out != NULL)
        return MR_OK;
    return mr_error_set(err, MR_ENOENT, "there is no user '" MR_STR_FMT "'", MR_STR_ARG(name));
}

int policy_edit_add_user(struct policy_edit *edit, struct mr_str name, struct json_node **out,
                         struct mr_error *err)
{
    struct json_node *users = json_tree_get(edit->root, MR_STR("Users"));
    if (json_tree_get(users, name) != NULL)
        return mr_error_set(err, MR_EEXIST, "user '" MR_STR_FMT "' is there already", MR_STR_ARG(name));
    *out = json_tree_add(&edit->arena, users, name, JSON_OBJECT);
    return *out != NULL ? MR_OK : no_memory(err);
}

struct json_node *policy_edit_list(struct policy_edit *edit, struct json_node *user, struct mr_str name)
{
    struct json_node *list = json_tree_get(user, name);
    return list != NULL ? list : json_tree_add(&edit->arena, user, name, JSON_ARRAY);
}

int policy_edit_key(struct policy_edit *edit, struct json_node *user, struct mr_str id,
                    struct json_node **out, struct mr_error *err)
{
    struct json_node *keys = policy_edit_list(edit, user, MR_STR("AccessKeys"));
    if (keys == NULL)
        return no_memory(err);
    for (struct json_node *n = keys->first; n != NULL; n = n->next) {
        const struct json_node *text = json_tree_get(n, MR_STR("AccessKeyId"));
        if (text != NULL && mr_str_eq(text->text, id)) {
            *out = n;
            return MR_OK;
        }
    }
    return mr_error_set(err, MR_ENOENT, "user '" MR_STR_FMT "' has no access key '" MR_STR_FMT "'",
                        MR_STR_ARG(user->name), MR_STR_ARG(id));
}

/* AKIA and 16 base32 characters; 30 random bytes as 40 characters: the lengths AWS uses. */
int policy_edit_new_key(struct policy_edit *edit, struct json_node *user, struct mr_str expires,
                        struct mr_str *id, struct mr_str *secret, struct mr_error *err)
{
    char random[17], raw[30];
    struct mr_buf text = MR_BUF_INIT;
    struct json_node *keys = policy_edit_list(edit, user, MR_STR("AccessKeys"));
    struct json_node *key = keys != NULL ? json_tree_add(&edit->arena, keys, MR_STR_NULL, JSON_OBJECT) : NULL;
    mr_base32_random(16, random);
    mr_random_bytes(raw, sizeof raw);
    mr_base64url_encode((struct mr_str){raw, sizeof raw}, &text);
    explicit_bzero(raw, sizeof raw);
    *id = mr_arena_printf(&edit->arena, "AKIA%s", random);
    *secret = mr_buf_ok(&text) ? mr_arena_dup(&edit->arena, mr_buf_view(&text)) : MR_STR_NULL;
    wipe(&text);
    bool done =
        key != NULL && id->ptr != NULL && secret->ptr != NULL &&
        json_tree_add_text(&edit->arena, key, MR_STR("AccessKeyId"), *id) != NULL &&
        json_tree_add_text(&edit->arena, key, MR_STR("SecretAccessKey"), *secret) != NULL &&
        (expires.ptr == NULL || json_tree_add_text(&edit->arena, key, MR_STR("Expires"), expires) != NULL);
    return done ? MR_OK : no_memory(err);
}

int policy_edit_key_status(struct policy_edit *edit, struct json_node *key, bool active)
{
    struct json_node *status = json_tree_get(key, MR_STR("Status"));
    struct mr_str word = active ? MR_STR("Active") : MR_STR("Inactive");
    if (status != NULL)
        status->text = word;
    else if (json_tree_add_text(&edit->arena, key, MR_STR("Status"), word) == NULL)
        return MR_ENOMEM;
    return MR_OK;
}

int policy_edit_put_policy(struct policy_edit *edit, struct mr_str name, struct json_value document)
{
    struct json_node *policies = json_tree_get(edit->root, MR_STR("Policies"));
    if (policies == NULL)
        policies = json_tree_add(&edit->arena, edit->root, MR_STR("Policies"), JSON_OBJECT);
    struct json_node *old = policies != NULL ? json_tree_get(policies, name) : NULL;
    struct json_node *copy = json_tree_copy(&edit->arena, document);
    struct mr_str kept = mr_arena_dup(&edit->arena, name);
    if (policies == NULL || copy == NULL || kept.ptr == NULL)
        return MR_ENOMEM;
    if (old != NULL)
        json_tree_remove(old);
    json_tree_hang(policies, kept, copy);
    return MR_OK;
}
