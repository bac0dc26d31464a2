#include "http/private.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ARENA_LIMIT ((size_t)64 << 20)
#define LINGER_NS (2 * MR_NS_PER_S)

static void format_peer(const struct sockaddr *addr, char out[static 64])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (addr != NULL && addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(out, 64, "%s:%u", host, (unsigned)ntohs(v4->sin_port));
    } else if (addr != NULL && addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(out, 64, "[%s]:%u", host, (unsigned)ntohs(v6->sin6_port));
    } else {
        snprintf(out, 64, "unknown");
    }
}

void http_conn_enter(struct http_conn *conn, enum http_stage stage)
{
    atomic_store_explicit(&conn->stage_since, mr_clock_mono(&mr_clock_system), memory_order_relaxed);
    atomic_store_explicit(&conn->stage, stage, memory_order_release);
}

static bool use_tls(struct http_server *server, struct http_conn *conn)
{
    pthread_mutex_lock(&server->lock);
    conn->tls_set = http_tls_ref(server->tls);
    pthread_mutex_unlock(&server->lock);
    if (http_tls_use(conn->tls_set, conn->tls))
        return true;
    http_tls_unref(conn->tls_set);
    return false;
}

static struct http_conn *conn_new(struct http_server *server, struct MHD_Connection *mhd)
{
    struct http_conn *conn = mr_calloc(1, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->server = server;
    conn->mhd = mhd;
    conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const union MHD_ConnectionInfo *tls = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    conn->tls = tls != NULL ? tls->tls_session : NULL;
    conn->req.tls = conn->tls != NULL;
    if (conn->tls != NULL && !use_tls(server, conn)) {
        mr_free(conn);
        return NULL;
    }
    conn->req.arena.limit = ARENA_LIMIT;
    const union MHD_ConnectionInfo *peer = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    format_peer(peer != NULL ? peer->client_addr : NULL, conn->req.peer);
    atomic_fetch_add(&server->refs, 1);
    http_conn_enter(conn, HTTP_WAITING);
    return conn;
}

void http_server_unref(struct http_server *server)
{
    if (atomic_fetch_sub(&server->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->drained);
    http_tls_unref(server->tls);
    mr_free(server->tls_cert);
    mr_free(server->tls_key);
    mr_free(server->tls_client_ca);
    mr_free(server);
}

void http_body_release(struct http_conn *conn)
{
    atomic_fetch_sub_explicit(&conn->server->bodies, http_body_counted(conn->body.len), memory_order_relaxed);
    mr_buf_release(&conn->body);
}

void http_conn_free(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (conn->answer != NULL)
        MHD_destroy_response(conn->answer);
    http_body_release(conn);
    mr_arena_release(&conn->req.arena);
    http_tls_unref(conn->tls_set);
    mr_free(conn);
    http_server_unref(server);
}

/* The library is about to close the socket. If the client is still sending, the kernel would answer its bytes
 * with a reset, and a reset makes the client's kernel throw away an answer not yet read. A second descriptor
 * keeps the socket alive, half closed, until the client has read on. Called under server->lock. */
static void linger(struct http_server *server, struct http_conn *conn)
{
    int unread = 0;
    if (server->nlinger == HTTP_MAX_LINGER || atomic_load(&server->stopping))
        return;
    if (!conn->refused && (ioctl(conn->fd, FIONREAD, &unread) != 0 || unread == 0))
        return;
    int fd = dup(conn->fd);
    if (fd < 0)
        return;
    shutdown(fd, SHUT_WR);
    server->linger[server->nlinger++] =
        (struct http_linger){.fd = fd, .until = mr_clock_mono(&mr_clock_system) + LINGER_NS};
}

bool http_linger_add(struct http_server *server, int fd)
{
    pthread_mutex_lock(&server->lock);
    size_t most = server->options.max_connections / 8 + 2; /* they take descriptors, too */
    bool room = server->nlinger < HTTP_MAX_LINGER && server->nlinger < most && shutdown(fd, SHUT_WR) == 0;
    if (room)
        server->linger[server->nlinger++] =
            (struct http_linger){.fd = fd, .until = mr_clock_mono(&mr_clock_system) + LINGER_NS};
    pthread_mutex_unlock(&server->lock);
    return room;
}

void http_linger_drain(struct http_server *server, int64_t now)
{
    char sink[16384]; /* nothing is copied: MSG_TRUNC throws away what it counts */
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->nlinger;) {
        ssize_t got = 1;
        for (int k = 0; k < 256 && got > 0; k++)
            got = recv(server->linger[i].fd, sink, sizeof sink, MSG_DONTWAIT | MSG_TRUNC);
        bool over = got == 0 || (got < 0 && errno != EAGAIN) || now >= server->linger[i].until;
        if (over) {
            close(server->linger[i].fd);
            server->linger[i] = server->linger[--server->nlinger];
        } else {
            i++;
        }
    }
    pthread_mutex_unlock(&server->lock);
}

static void conn_closed(struct http_server *server, struct http_conn *conn)
{
    pthread_mutex_lock(&server->lock);
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    linger(server, conn);
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_sub(&server->open, 1);
    if (atomic_exchange(&conn->turn, HTTP_ORPHANED) == HTTP_ANSWERED)
        http_conn_free(conn);
}

void http_conn_notify(void *arg, struct MHD_Connection *mhd, void **context,
                      enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = arg;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context != NULL)
            conn_closed(server, *context);
        else
            atomic_fetch_sub(&server->open, 1);
        *context = NULL;
        return;
    }
    struct http_conn *conn = conn_new(server, mhd);
    *context = conn; /* NULL: the first request will close the connection */
    if (conn == NULL)
        return;
    atomic_store(&conn->turn, HTTP_ANSWERED);
    pthread_mutex_lock(&server->lock);
    conn->next = server->conns;
    if (conn->next != NULL)
        conn->next->prev = conn;
    server->conns = conn;
    pthread_mutex_unlock(&server->lock);
}
