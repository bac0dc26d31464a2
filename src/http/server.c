#include "http/private.h"

#include "base/clock.h"
#include "base/io.h"

#include <errno.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAX_PEM ((size_t)1 << 20)
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* A libmicrohttpd header record and its rounding; and room for an answer's head. */
#define RECORD_BYTES 64
#define SPARE_BYTES 4096

static void fill_defaults(struct http_options *o)
{
    if (o->threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        o->threads = cores > 0 ? (unsigned)cores : 1;
    }
    if (o->max_connections == 0)
        o->max_connections = 1000;
    if (o->idle_seconds == 0)
        o->idle_seconds = 60;
    if (o->head_seconds == 0)
        o->head_seconds = 10;
    if (o->body_grace_seconds == 0)
        o->body_grace_seconds = 5;
    if (o->max_body == 0)
        o->max_body = (size_t)4 << 20;
    if (o->max_bodies == 0)
        o->max_bodies = (size_t)64 << 20;
    if (o->max_head == 0)
        o->max_head = 32768;
    if (o->max_headers == 0)
        o->max_headers = 100;
}

static struct http_server *server_new(const struct http_options *options)
{
    struct http_server *server = mr_calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->options = *options;
    fill_defaults(&server->options);
    server->options.host = server->options.tls_cert = server->options.tls_key = NULL;
    server->options.tls_client_ca = NULL;
    server->wake_fd = -1;
    atomic_store(&server->refs, 1);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&server->drained, &attr);
    pthread_condattr_destroy(&attr);
    return server;
}

/* The library unescapes paths in place; we want them as received. */
static size_t keep_escapes(void *arg, struct MHD_Connection *mhd, char *text)
{
    MR_UNUSED(arg);
    MR_UNUSED(mhd);
    return strlen(text);
}

/* cert and key are NUL-terminated PEM texts, or NULL for plain HTTP. */
static int start_library(struct http_server *server, const char *cert, const char *key, struct mr_error *err)
{
    const struct http_options *o = &server->options;
    /* The whole head and one record for each header must fit, or the library answers in our place. */
    size_t pool = o->max_head + (size_t)o->max_headers * RECORD_BYTES + SPARE_BYTES;
    struct MHD_OptionItem items[16];
    size_t n = 0;
    if (o->threads > 1)
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)o->threads, NULL};
    if (cert != NULL) {
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)cert};
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key};
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES};
    }
    items[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG | (cert != NULL ? MHD_USE_TLS : 0);
    server->start_err = err;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_access, server, MHD_OPTION_EXTERNAL_LOGGER, http_on_log, server,
        MHD_OPTION_URI_LOG_CALLBACK, http_on_target, server, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed,
        server, MHD_OPTION_NOTIFY_CONNECTION, http_conn_notify, server, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, NULL, MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool,
        /* The door counts; each thread must be able to take all. */
        MHD_OPTION_CONNECTION_LIMIT, (o->max_connections + 1) * o->threads, MHD_OPTION_ARRAY, items,
        MHD_OPTION_END);
    server->start_err = NULL;
    if (server->daemon == NULL)
        return mr_error_set(err, MR_EINVAL, "cannot start the HTTP server");
    return MR_OK;
}

/* ---- TLS files */

struct pems {
    struct mr_buf cert, key, client_ca; /* NUL-terminated */
};

static int read_pem(const char *path, struct mr_buf *out, struct mr_error *err)
{
    int rc = mr_io_read_file(&mr_io_posix, path, MAX_PEM, out, err);
    mr_buf_char(out, '\0');
    return rc == MR_OK && !mr_buf_ok(out) ? mr_error_set(err, MR_ENOMEM, "out of memory") : rc;
}

static void pems_release(struct pems *pems)
{
    if (pems->key.ptr != NULL)
        explicit_bzero(pems->key.ptr, pems->key.len);
    mr_buf_release(&pems->cert);
    mr_buf_release(&pems->key);
    mr_buf_release(&pems->client_ca);
}

static int load_tls(const struct http_server *server, struct pems *pems, struct http_tls **out,
                    struct mr_error *err)
{
    *pems = (struct pems){MR_BUF_INIT, MR_BUF_INIT, MR_BUF_INIT};
    int rc = read_pem(server->tls_cert, &pems->cert, err);
    if (rc == MR_OK)
        rc = read_pem(server->tls_key, &pems->key, err);
    if (rc == MR_OK && server->tls_client_ca != NULL)
        rc = read_pem(server->tls_client_ca, &pems->client_ca, err);
    if (rc == MR_OK)
        rc = http_tls_new(pems->cert.ptr, pems->key.ptr, pems->client_ca.ptr, out, err);
    return rc;
}

static int start_with_files(struct http_server *server, const struct http_options *o, struct mr_error *err)
{
    if (o->tls_cert == NULL && o->tls_key == NULL && o->tls_client_ca == NULL)
        return start_library(server, NULL, NULL, err);
    if (o->tls_cert == NULL || o->tls_key == NULL)
        return mr_error_set(err, MR_EINVAL, "TLS needs both a certificate and a key file");
    server->tls_cert = mr_strndup(o->tls_cert, strlen(o->tls_cert));
    server->tls_key = mr_strndup(o->tls_key, strlen(o->tls_key));
    if (o->tls_client_ca != NULL)
        server->tls_client_ca = mr_strndup(o->tls_client_ca, strlen(o->tls_client_ca));
    if (server->tls_cert == NULL || server->tls_key == NULL ||
        (o->tls_client_ca != NULL && server->tls_client_ca == NULL))
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    struct pems pems;
    int rc = load_tls(server, &pems, &server->tls, err);
    if (rc == MR_OK) /* the library wants them, too; its connections use ours */
        rc = start_library(server, pems.cert.ptr, pems.key.ptr, err);
    pems_release(&pems);
    return rc;
}

int http_server_reload(struct http_server *server, struct mr_error *err)
{
    if (server->tls_cert == NULL)
        return MR_OK;
    struct pems pems;
    struct http_tls *fresh = NULL;
    int rc = load_tls(server, &pems, &fresh, err);
    pems_release(&pems);
    if (rc != MR_OK)
        return rc;
    pthread_mutex_lock(&server->lock);
    struct http_tls *old = server->tls;
    server->tls = fresh;
    pthread_mutex_unlock(&server->lock);
    http_tls_unref(old);
    return MR_OK;
}

static int start_door(struct http_server *server, struct mr_error *err)
{
    server->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (server->wake_fd < 0)
        return mr_error_errno(err, MR_EIO, errno, "cannot make an event descriptor");
    int rc = pthread_create(&server->door, NULL, http_door, server);
    if (rc != 0)
        return mr_error_errno(err, MR_EIO, rc, "cannot start the accepting thread");
    server->door_runs = true;
    return MR_OK;
}

int http_server_start(const struct http_options *options, struct http_server **out, struct mr_error *err)
{
    *out = NULL;
    MR_ASSERT(options->host != NULL && options->handler != NULL && options->fault != NULL);
    struct http_server *server = server_new(options);
    if (server == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    int rc = http_listen(server, options->host, options->port, err);
    if (rc == MR_OK)
        rc = start_with_files(server, options, err);
    if (rc == MR_OK)
        rc = start_door(server, err);
    if (rc != MR_OK) {
        http_server_stop(server, 0);
        return rc;
    }
    *out = server;
    return MR_OK;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_stats(const struct http_server *server, struct http_stats *out)
{
    *out = (struct http_stats){.connections_open = atomic_load(&server->open),
                               .connections_accepted = atomic_load(&server->accepted),
                               .connections_refused = atomic_load(&server->refused),
                               .requests = atomic_load(&server->requests),
                               .faults = atomic_load(&server->faults),
                               .bytes_in = atomic_load(&server->bytes_in),
                               .bytes_out = atomic_load(&server->bytes_out)};
}

static void close_door(struct http_server *server)
{
    if (server->door_runs) {
        const uint64_t one = 1;
        MR_ASSERT(write(server->wake_fd, &one, sizeof one) == (ssize_t)sizeof one);
        pthread_join(server->door, NULL);
    }
    if (server->wake_fd >= 0)
        close(server->wake_fd);
    for (size_t i = 0; i < server->nlisten; i++)
        close(server->listen_fd[i]);
}

static void wait_drained(struct http_server *server, unsigned drain_ms)
{
    int64_t until = mr_clock_mono(&mr_clock_system) + (int64_t)drain_ms * MR_NS_PER_MS;
    const struct timespec deadline = {.tv_sec = until / MR_NS_PER_S, .tv_nsec = until % MR_NS_PER_S};
    pthread_mutex_lock(&server->lock);
    while (atomic_load(&server->in_flight) > 0) {
        if (pthread_cond_timedwait(&server->drained, &server->lock, &deadline) == ETIMEDOUT)
            break;
    }
    pthread_mutex_unlock(&server->lock);
}

static void wait_answering(struct http_server *server)
{
    while (atomic_load(&server->answering) > 0)
        sched_yield();
}

/* The library may not be stopped while a connection is suspended. Requests whose answer has not come are
 * given to their answerers for good, and their connections resumed to be closed. */
static void abandon_parked(struct http_server *server)
{
    atomic_store(&server->stopping, true);
    pthread_mutex_lock(&server->lock);
    for (struct http_conn *conn = server->conns; conn != NULL; conn = conn->next) {
        int turn = HTTP_PARKED;
        if (atomic_compare_exchange_strong(&conn->turn, &turn, HTTP_ABANDONED))
            MHD_resume_connection(conn->mhd);
    }
    pthread_mutex_unlock(&server->lock);
    wait_answering(server);
}

void http_server_stop(struct http_server *server, unsigned drain_ms)
{
    if (server == NULL)
        return;
    atomic_store(&server->draining, true);
    close_door(server);
    if (server->daemon != NULL) {
        wait_drained(server, drain_ms);
        abandon_parked(server);
        MHD_stop_daemon(server->daemon);
    }
    http_linger_drain(server, INT64_MAX);
    wait_answering(server);
    http_server_unref(server);
}
