/* remote/credentials.c - the pair requests are signed with: given, of the environment, or of a file that may
 * change. */
#include "remote/private.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)

static void wipe(char **text)
{
    if (*text != NULL)
        OPENSSL_cleanse(*text, strlen(*text));
    mr_free(*text);
    *text = NULL;
}

void remote_pair_release(struct remote_pair *pair)
{
    wipe(&pair->id);
    wipe(&pair->secret);
    wipe(&pair->token);
}

/* The old value goes. An empty or absent text is no value. */
static bool replace(char **field, struct mr_str text)
{
    wipe(field);
    if (text.len == 0)
        return true;
    *field = mr_strndup(text.ptr, text.len);
    return *field != NULL;
}

int remote_pair_copy(const struct remote_pair *from, struct remote_pair *to)
{
    *to = (struct remote_pair){NULL, NULL, NULL};
    if (replace(&to->id, mr_str_of(from->id)) && replace(&to->secret, mr_str_of(from->secret)) &&
        replace(&to->token, mr_str_of(from->token)))
        return MR_OK;
    remote_pair_release(to);
    return MR_ENOMEM;
}

/* "key = value" into the field of that key; other keys are skipped. */
static bool take_line(struct mr_str line, struct remote_pair *pair)
{
    size_t eq = mr_str_find(line, '=', 0);
    struct mr_str key = mr_str_trim(mr_str_slice(line, 0, eq)),
                  value = mr_str_trim(mr_str_slice(line, eq + 1, line.len));
    if (mr_str_eq(key, MR_STR("aws_access_key_id")))
        return replace(&pair->id, value);
    if (mr_str_eq(key, MR_STR("aws_secret_access_key")))
        return replace(&pair->secret, value);
    if (mr_str_eq(key, MR_STR("aws_session_token")))
        return replace(&pair->token, value);
    return true;
}

static int parse(struct mr_str text, struct mr_str profile, struct remote_pair *pair)
{
    bool mine = false;
    while (text.len > 0) {
        size_t end = mr_str_find(text, '\n', 0);
        struct mr_str line = mr_str_slice(text, 0, end);
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        line = mr_str_trim(line);
        if (line.len > 2 && line.ptr[0] == '[' && line.ptr[line.len - 1] == ']')
            mine = mr_str_eq(mr_str_trim(mr_str_slice(line, 1, line.len - 1)), profile);
        else if (mine && line.len > 0 && line.ptr[0] != '#' && line.ptr[0] != ';' && !take_line(line, pair))
            return MR_ENOMEM;
        text = mr_str_slice(text, end + 1, text.len);
    }
    return pair->id != NULL && pair->secret != NULL ? MR_OK : MR_ENOENT;
}

static int load(struct remote_keys *k, struct mr_error *err)
{
    struct mr_buf text = MR_BUF_INIT;
    struct remote_pair pair = {NULL, NULL, NULL};
    int status = mr_io_read_file(&mr_io_posix, k->file, FILE_MAX, &text, err);
    if (status == MR_OK)
        status = parse(mr_buf_view(&text), mr_str_of(k->profile), &pair);
    if (status == MR_ENOENT)
        status = mr_error_set(err, MR_EINVAL, "%s has no access key and secret in section [%s]", k->file,
                              k->profile);
    if (text.ptr != NULL)
        OPENSSL_cleanse(text.ptr, text.len);
    mr_buf_release(&text);
    if (status == MR_OK) {
        remote_pair_release(&k->pair);
        k->pair = pair;
    } else {
        remote_pair_release(&pair);
    }
    return status;
}

/* Reads the file when it is another one than last time. Under the lock. */
static int refresh(struct remote_keys *k, struct mr_error *err)
{
    struct stat st;
    if (stat(k->file, &st) != 0)
        return mr_error_errno(err, MR_EDENIED, errno, "cannot read %s", k->file);
    if (st.st_size == k->size && st.st_mtim.tv_sec == k->changed.tv_sec &&
        st.st_mtim.tv_nsec == k->changed.tv_nsec)
        return MR_OK;
    if ((st.st_mode & 077) != 0)
        return mr_error_set(err, MR_EDENIED, "%s can be read by others (mode %03o): make it 600", k->file,
                            (unsigned)st.st_mode & 0777);
    int status = load(k, err);
    if (status == MR_OK) {
        k->size = st.st_size;
        k->changed = st.st_mtim;
    }
    return status;
}

int remote_keys_open(struct remote_keys *k, const struct remote_credentials *from, struct mr_error *err)
{
    struct remote_pair given = {(char *)(uintptr_t)from->access_key_id,
                                (char *)(uintptr_t)from->secret_access_key,
                                (char *)(uintptr_t)from->session_token};
    k->size = -1;
    if (given.id == NULL && from->file != NULL) {
        const char *profile = from->profile != NULL ? from->profile : "default";
        k->file = mr_strndup(from->file, strlen(from->file));
        k->profile = mr_strndup(profile, strlen(profile));
        return k->file != NULL && k->profile != NULL ? refresh(k, err) : MR_ENOMEM;
    }
    if (given.id == NULL)
        given = (struct remote_pair){getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"),
                                     getenv("AWS_SESSION_TOKEN")};
    if (given.id == NULL || given.secret == NULL)
        return mr_error_set(err, MR_EINVAL,
                            "no credentials: neither a file nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    return remote_pair_copy(&given, &k->pair);
}

void remote_keys_close(struct remote_keys *k)
{
    remote_pair_release(&k->pair);
    mr_free(k->file);
    mr_free(k->profile);
    k->file = k->profile = NULL;
}

int remote_keys_get(struct remote_keys *k, struct remote_pair *out, struct mr_error *err)
{
    pthread_mutex_lock(&k->lock);
    int status = k->file != NULL ? refresh(k, err) : MR_OK;
    if (status == MR_OK)
        status = remote_pair_copy(&k->pair, out);
    pthread_mutex_unlock(&k->lock);
    return status;
}
