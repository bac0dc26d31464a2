#include "http/private.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "the port of either family is read as IPv6's");

static uint16_t bound_port(int fd)
{
    struct sockaddr_in6 addr = {0};
    socklen_t len = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        return 0;
    return ntohs(addr.sin6_port);
}

/* A listening socket on that address, or a negated errno. */
static int listen_on(const struct addrinfo *ai, uint16_t port)
{
    struct sockaddr_storage addr;
    memcpy(&addr, ai->ai_addr, ai->ai_addrlen);
    if (ai->ai_family == AF_INET)
        ((struct sockaddr_in *)&addr)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)&addr)->sin6_port = htons(port);
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    const int on = 1;
    /* A restart must not wait for old connections to leave TIME_WAIT. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int failed = -errno;
    close(fd);
    return failed;
}

int http_listen(struct http_server *server, const char *host, uint16_t port, struct mr_error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *all = NULL;
    int rc = getaddrinfo(host, NULL, &hints, &all);
    if (rc != 0)
        return mr_error_set(err, MR_EINVAL, "cannot resolve listen address %s: %s", host, gai_strerror(rc));
    int failed = 0;
    server->port = port;
    for (const struct addrinfo *ai = all; ai != NULL && server->nlisten < HTTP_MAX_LISTEN; ai = ai->ai_next) {
        if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
            continue;
        int fd = listen_on(ai, server->port);
        if (fd < 0) {
            failed =
                -fd; /* a name may stand for an address family this machine lacks: one socket is enough */
            continue;
        }
        server->listen_fd[server->nlisten++] = fd;
        server->port = bound_port(fd);
    }
    freeaddrinfo(all);
    if (server->nlisten == 0)
        return mr_error_errno(err, MR_EIO, failed, "cannot listen on %s port %u", host, (unsigned)port);
    return MR_OK;
}
