/* The watch: deadlines that libmicrohttpd does not have.
 *
 * It knows one idle timeout, restarted by every byte, so a client could hold a connection for ever by sending
 * one byte a minute. The watch asks the kernel instead. A head that has begun shows as bytes received since
 * the wait began; a slow body shows in the bytes handed to us. Whoever is too slow has its socket shut, which
 * the I/O thread sees as the end of the connection. There is no answer: none could be written without owning
 * the connection.
 */
#include "http/private.h"

#include "base/clock.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Bytes received on the socket since it was opened; 0 when the kernel does not say. */
static uint64_t received(int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_received;
}

static bool head_too_slow(const struct http_server *server, struct http_conn *conn, int64_t now)
{
    unsigned cycle = atomic_load(&conn->cycle);
    uint64_t bytes = received(conn->fd);
    if (cycle != conn->watched_cycle) {
        conn->watched_cycle = cycle;
        conn->watched_bytes = bytes;
        conn->head_since = 0;
    }
    if (bytes == conn->watched_bytes)
        return false;
    if (conn->head_since == 0)
        conn->head_since = now;
    return now - conn->head_since > (int64_t)server->options.head_seconds * MR_NS_PER_S;
}

static bool body_too_slow(const struct http_server *server, struct http_conn *conn, int64_t now)
{
    int64_t spent = now - atomic_load(&conn->stage_since);
    if (spent <= (int64_t)server->options.body_grace_seconds * MR_NS_PER_S)
        return false;
    return atomic_load(&conn->body_bytes) < (uint64_t)(spent / MR_NS_PER_S) * HTTP_MIN_BODY_RATE;
}

void http_watch(struct http_server *server, int64_t now)
{
    pthread_mutex_lock(&server->lock);
    for (struct http_conn *conn = server->conns; conn != NULL; conn = conn->next) {
        int stage = atomic_load(&conn->stage);
        if (conn->shut || stage == HTTP_HANDLING)
            continue;
        if (stage == HTTP_WAITING ? head_too_slow(server, conn, now) : body_too_slow(server, conn, now)) {
            conn->shut = true;
            atomic_fetch_add(&server->faults, 1);
            shutdown(conn->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&server->lock);
}
