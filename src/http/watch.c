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

#include <linux/tcp.h> /* struct tcp_info with tcpi_bytes_received, which netinet/tcp.h lacks */
#include <netinet/in.h>
#include <sys/socket.h>

#define TCP_CLOSE_WAIT 8    /* netinet/tcp.h, which cannot be included beside linux/tcp.h */
#define HALF_CLOSED_TICKS 3 /* time for what arrived before the end to be read */

/* A client that has said it will send no more, and waits. libmicrohttpd polls edge-triggered and stops
 * reading after a short read, so an end that arrives together with the last bytes is never seen by it. */
static bool half_closed(struct http_conn *conn, unsigned cycle, const struct tcp_info *info)
{
    bool same = cycle == conn->seen_cycle && info->tcpi_bytes_received == conn->seen_bytes;
    conn->seen_cycle = cycle;
    conn->seen_bytes = info->tcpi_bytes_received;
    conn->closed_ticks = same && info->tcpi_state == TCP_CLOSE_WAIT ? conn->closed_ticks + 1 : 0;
    return conn->closed_ticks > HALF_CLOSED_TICKS;
}

static bool head_too_slow(const struct http_server *server, struct http_conn *conn, unsigned cycle,
                          const struct tcp_info *info, int64_t now)
{
    if (cycle != conn->watched_cycle) {
        conn->watched_cycle = cycle;
        conn->watched_bytes = info->tcpi_bytes_received;
        conn->head_since = 0;
    }
    if (info->tcpi_bytes_received == conn->watched_bytes)
        return false;
    if (conn->head_since == 0)
        conn->head_since = now;
    return now - conn->head_since > (int64_t)server->options.head_seconds * MR_NS_PER_S;
}

/* Looked at in stretches, so that what came fast at first buys no time later. */
static bool body_too_slow(const struct http_server *server, struct http_conn *conn, unsigned cycle,
                          int64_t now)
{
    uint64_t bytes = atomic_load(&conn->body_bytes), stretch = server->options.body_grace_seconds;
    if (cycle != conn->body_cycle || conn->body_since == 0) {
        conn->body_cycle = cycle;
        conn->body_since = atomic_load(&conn->stage_since);
        conn->body_before = 0;
    }
    if (now - conn->body_since <= (int64_t)stretch * MR_NS_PER_S)
        return false;
    bool slow = bytes - conn->body_before < stretch * HTTP_MIN_BODY_RATE;
    conn->body_since = now;
    conn->body_before = bytes;
    return slow;
}

static bool must_end(const struct http_server *server, struct http_conn *conn, int64_t now)
{
    int stage = atomic_load(&conn->stage);
    if (stage == HTTP_HANDLING)
        return false;
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return false;
    unsigned cycle = atomic_load(&conn->cycle);
    if (half_closed(conn, cycle, &info))
        return true;
    return stage == HTTP_WAITING ? head_too_slow(server, conn, cycle, &info, now)
                                 : body_too_slow(server, conn, cycle, now);
}

void http_watch(struct http_server *server, int64_t now)
{
    pthread_mutex_lock(&server->lock);
    for (struct http_conn *conn = server->conns; conn != NULL; conn = conn->next) {
        if (conn->shut || !must_end(server, conn, now))
            continue;
        conn->shut = true;
        if (conn->closed_ticks == 0)
            atomic_fetch_add(&server->faults, 1);
        shutdown(conn->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->lock);
}
