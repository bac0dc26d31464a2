/* The door: accepts connections and gives them to the I/O threads.
 *
 * libmicrohttpd could accept by itself. It does not here for three reasons: beyond its limit it lets clients
 * hang in the backlog instead of turning them away; a name may stand for several addresses and it takes one
 * socket; and its way to stop accepting (MHD_quiesce_daemon) aborts the process when a worker removes the
 * socket at the same moment.
 */
#include "http/private.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 250
#define BUSY_TICK_MS 20 /* while closed sockets are being drained */

/* False when the process is out of descriptors: accepting again at once would spin. */
static bool accept_all(struct http_server *server, int listen_fd)
{
    for (int i = 0; i < 64; i++) {
        struct sockaddr_storage addr;
        socklen_t len = sizeof addr;
        int fd = accept4(listen_fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS;
        if (atomic_load(&server->open) >= server->options.max_connections) {
            atomic_fetch_add(&server->refused, 1);
            http_turn_away(server, fd);
            continue;
        }
        atomic_fetch_add(&server->accepted, 1);
        atomic_fetch_add(&server->open, 1);
        if (MHD_add_connection(server->daemon, fd, (struct sockaddr *)&addr, len) != MHD_YES)
            atomic_fetch_sub(&server->open, 1); /* the library has closed it */
    }
    return true;
}

void *http_door(void *arg)
{
    struct http_server *server = arg;
    bool starved = false;
    for (;;) {
        struct pollfd fds[1 + HTTP_MAX_LISTEN] = {{.fd = server->wake_fd, .events = POLLIN}};
        for (size_t i = 0; i < server->nlisten; i++)
            fds[1 + i] = (struct pollfd){.fd = starved ? -1 : server->listen_fd[i], .events = POLLIN};
        pthread_mutex_lock(&server->lock);
        int timeout = server->nlinger > 0 ? BUSY_TICK_MS : TICK_MS;
        pthread_mutex_unlock(&server->lock);
        int ready = poll(fds, (nfds_t)(1 + server->nlisten), timeout);
        if (fds[0].revents != 0 && ready > 0)
            return NULL;
        starved = false;
        for (size_t i = 0; ready > 0 && i < server->nlisten; i++) {
            if (fds[1 + i].revents != 0 && !accept_all(server, server->listen_fd[i]))
                starved = true;
        }
        int64_t now = mr_clock_mono(&mr_clock_system);
        http_watch(server, now);
        http_linger_drain(server, now);
    }
}
