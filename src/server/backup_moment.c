#include "server/backup_moment.h"

#include "care/care.h"
#include "catalog/catalog.h"
#include "remote/remote.h"
#include "seal/seal.h"
#include "wal/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PATH_BYTES 4096
#define MOMENT_LIMIT ((size_t)1 << 30)
#define RENEW_S 60 /* of HOLD_LEASE_NS */

/* ---- from a server ------------------------------------------------------------------------------------ */

static int connect_server(struct backup_source *s, struct mr_error *err)
{
    char file[PATH_BYTES];
    const char *id = getenv("MILLRACE_ROOT_ACCESS_KEY_ID"),
               *secret = getenv("MILLRACE_ROOT_SECRET_ACCESS_KEY");
    bool given = id != NULL && secret != NULL;
    snprintf(file, sizeof file, "%s/root-credentials", s->data);
    const struct remote_options options = {
        .endpoint = s->server,
        .region = "us-east-1",
        .service = "timestream",
        .credentials = {.file = given ? NULL : file,
                        .access_key_id = given ? id : NULL,
                        .secret_access_key = given ? secret : NULL},
        .total_ms = 120000,
        .max_answer = MOMENT_LIMIT,
    };
    return remote_open(&options, &s->remote, err);
}

static int call(struct backup_source *s, const char *path, struct mr_buf *out, struct mr_error *err)
{
    struct remote_answer answer = REMOTE_ANSWER_INIT;
    const struct mr_pair type = {MR_STR("Content-Type"), MR_STR("application/json")};
    const struct remote_request request = {
        .method = "POST", .path = mr_str_of(path), .headers = &type, .nheaders = 1, .body = MR_STR("{}")};
    struct mr_error why = MR_ERROR_INIT;
    int status = remote_call(s->remote, &request, &answer, &why);
    if (status != MR_OK)
        mr_error_set(err, (enum mr_status)status, "%s is in use, and its server does not answer at %s: %s",
                     s->data, s->server, why.text);
    else if (answer.status != 200)
        status = mr_error_set(err,
                              answer.status == 404   ? MR_ENOENT
                              : answer.status == 403 ? MR_EDENIED
                                                     : MR_EIO,
                              "the server at %s answers %d: " MR_STR_FMT, s->server, answer.status,
                              MR_STR_ARG(mr_str_slice(mr_buf_view(&answer.body), 0, 300)));
    if (status == MR_OK && out != NULL) {
        *out = answer.body;
        answer.body = (struct mr_buf)MR_BUF_INIT;
    }
    remote_answer_release(&answer);
    return status;
}

/* ---- keeping it ---------------------------------------------------------------------------------------- */

/* Waits for the next time; false: the end. */
static bool wait_to_renew(struct backup_source *s)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RENEW_S;
    pthread_mutex_lock(&s->lock_of_keeper);
    while (!s->ending && rc != ETIMEDOUT)
        rc = pthread_cond_clockwait(&s->wake, &s->lock_of_keeper, CLOCK_MONOTONIC, &until);
    bool go_on = !s->ending;
    pthread_mutex_unlock(&s->lock_of_keeper);
    return go_on;
}

/* A server that does not answer for a moment still holds; one that says no does not. */
static void *run_keeper(void *arg)
{
    struct backup_source *s = arg;
    char path[64];
    snprintf(path, sizeof path, "/-/hold/%llu/renew", (unsigned long long)s->hold);
    while (wait_to_renew(s)) {
        struct mr_error why = MR_ERROR_INIT;
        int status = call(s, path, NULL, &why);
        if (status != MR_ENOENT && status != MR_EDENIED)
            continue;
        pthread_mutex_lock(&s->lock_of_keeper);
        s->lost = why;
        pthread_mutex_unlock(&s->lock_of_keeper);
        break;
    }
    return NULL;
}

static int start_keeper(struct backup_source *s, struct mr_error *err)
{
    pthread_mutex_init(&s->lock_of_keeper, NULL);
    pthread_cond_init(&s->wake, NULL);
    int rc = pthread_create(&s->keeper, NULL, run_keeper, s);
    s->has_keeper = rc == 0;
    return rc == 0 ? MR_OK : (int)mr_error_errno(err, MR_EIO, rc, "cannot start a thread");
}

static void stop_keeper(struct backup_source *s)
{
    if (!s->has_keeper)
        return;
    pthread_mutex_lock(&s->lock_of_keeper);
    s->ending = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock_of_keeper);
    pthread_join(s->keeper, NULL);
    pthread_mutex_destroy(&s->lock_of_keeper);
    pthread_cond_destroy(&s->wake);
}

int backup_source_held(struct backup_source *s, struct mr_error *err)
{
    if (!s->has_keeper)
        return MR_OK;
    pthread_mutex_lock(&s->lock_of_keeper);
    int status = s->lost.status;
    if (status != MR_OK)
        mr_error_set(err, s->lost.status, "%s", s->lost.text);
    pthread_mutex_unlock(&s->lock_of_keeper);
    return status;
}

static int ask_server(struct backup_source *s, struct mr_error *err)
{
    struct mr_buf body = MR_BUF_INIT;
    int status = connect_server(s, err);
    if (status == MR_OK)
        status = call(s, "/-/hold", &body, err);
    if (status == MR_OK && body.len < sizeof s->hold)
        status = mr_error_set(err, MR_EIO, "what the server answers is no moment of its data");
    if (status == MR_OK) {
        memcpy(&s->hold, body.ptr, sizeof s->hold);
        status =
            backup_moment_decode(mr_str_slice(mr_buf_view(&body), sizeof s->hold, body.len), &s->moment, err);
    }
    mr_buf_release(&body);
    return status == MR_OK ? start_keeper(s, err) : status;
}

/* ---- from a directory ---------------------------------------------------------------------------------- */

static int read_lsn(struct backup_source *s, struct mr_error *err)
{
    char path[PATH_BYTES];
    struct seal_keyring *keyring;
    struct wal_recovery recovery;
    uint64_t low = s->moment.manifest.wal_low;
    snprintf(path, sizeof path, "%s/store/keys", s->data);
    int status = seal_keyring_open(&mr_io_posix, path, &keyring, err);
    if (status != MR_OK)
        return status;
    snprintf(path, sizeof path, "%s/store/wal", s->data);
    uint64_t need = s->moment.manifest.generation != 0 ? low + 1 : 0;
    status = wal_recover(&mr_io_posix, path, keyring, need, NULL, NULL, &recovery, err);
    s->moment.lsn = status == MR_OK ? recovery.next_lsn - 1 : 0;
    wal_recovery_release(&recovery);
    seal_keyring_close(keyring);
    return status;
}

static int read_directory(struct backup_source *s, struct mr_error *err)
{
    char path[PATH_BYTES];
    struct catalog *catalog = NULL;
    snprintf(path, sizeof path, "%s/store/keys/keyring", s->data);
    int status = mr_io_read_file(&mr_io_posix, path, (size_t)64 << 20, &s->moment.keyring, err);
    if (status == MR_OK)
        status = catalog_open(s->data, &mr_clock_system, &catalog, err);
    if (status == MR_OK)
        status = catalog_copy(catalog, &s->moment.catalog, NULL, NULL, err);
    catalog_close(catalog);
    snprintf(path, sizeof path, "%s/store/files", s->data);
    if (status == MR_OK)
        status = magstore_manifest_load(&mr_io_posix, path, &s->moment.manifest, err);
    return status == MR_OK ? read_lsn(s, err) : status;
}

/* ---- either -------------------------------------------------------------------------------------------- */

int backup_source_open(struct backup_source *s, struct mr_error *err)
{
    char path[PATH_BYTES];
    struct mr_buf stamp = MR_BUF_INIT;
    s->lock = -1;
    s->moment = (struct backup_moment)BACKUP_MOMENT_INIT;
    if (strlen(s->data) > PATH_BYTES / 2)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", s->data);
    snprintf(path, sizeof path, "%s/VERSION", s->data);
    int status = mr_io_read_file(&mr_io_posix, path, 4096, &stamp, err);
    mr_buf_release(&stamp);
    if (status != MR_OK)
        return status;
    status = care_lock(s->data, &s->lock, NULL);
    if (status == MR_EBUSY)
        return ask_server(s, err);
    return status == MR_OK ? read_directory(s, err)
                           : (int)mr_error_set(err, (enum mr_status)status, "cannot lock %s", s->data);
}

void backup_source_close(struct backup_source *s)
{
    char path[64];
    snprintf(path, sizeof path, "/-/hold/%llu/release", (unsigned long long)s->hold);
    stop_keeper(s);
    if (s->remote != NULL && s->hold != 0)
        (void)call(s, path, NULL, NULL); /* else it runs out */
    remote_close(s->remote);
    care_unlock(s->lock);
    backup_moment_release(&s->moment);
}
