#include "ingest/client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/clock.h"

enum { LARGEST_ANSWER = 1 << 22 };

int client_resolve(struct client_target *target, const char *endpoint, struct mr_error *err)
{
    char host[256];
    snprintf(target->host, sizeof target->host, "%s", endpoint);
    snprintf(host, sizeof host, "%s", endpoint);
    char *colon = strrchr(host, ':');
    if (colon == NULL)
        return mr_error_set(err, MR_EINVAL, "the endpoint is host:port, got %s", endpoint);
    *colon = '\0';
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int rc = getaddrinfo(host, colon + 1, &hints, &found);
    if (rc != 0)
        return mr_error_set(err, MR_EINVAL, "%s: %s", endpoint, gai_strerror(rc));
    memcpy(&target->addr, found->ai_addr, found->ai_addrlen);
    target->addr_len = found->ai_addrlen;
    freeaddrinfo(found);
    return MR_OK;
}

void client_init(struct client *client, const struct client_target *target)
{
    *client = (struct client){.target = target};
}

static void drop(struct client *client)
{
    if (client->stream != NULL)
        fclose(client->stream);
    client->stream = NULL;
}

void client_release(struct client *client)
{
    drop(client);
    mr_arena_release(&client->arena);
    mr_buf_release(&client->head);
    mr_buf_release(&client->answer);
}

static int dial(struct client *client, struct mr_error *err)
{
    const struct client_target *t = client->target;
    int one = 1, fd = socket(t->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client->stream = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (client->stream == NULL || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        connect(fd, (const struct sockaddr *)&t->addr, t->addr_len) != 0)
        return mr_error_errno(err, MR_EIO, errno, "connect to %s", t->host);
    return MR_OK;
}

/* The request head, signed over the same headers that botocore signs. */
static int render_head(struct client *client, const char *operation, struct mr_str request)
{
    char target[96];
    snprintf(target, sizeof target, "Timestream_20181101.%s", operation);
    struct mr_pair headers[3] = {{MR_STR("Content-Type"), MR_STR("application/x-amz-json-1.0")},
                                 {MR_STR("Host"), mr_str_of(client->target->host)},
                                 {MR_STR("X-Amz-Target"), mr_str_of(target)}};
    struct auth_request req = {.method = MR_STR("POST"),
                               .path = MR_STR("/"),
                               .query = MR_STR(""),
                               .headers = headers,
                               .nheaders = MR_ARRAY_LEN(headers),
                               .body = request};
    struct mr_pair extra[4];
    size_t n;
    mr_arena_reset(&client->arena);
    int status =
        auth_sign(&client->target->cred, &req, mr_clock_wall(&mr_clock_system), &client->arena, extra, &n);
    if (status != MR_OK)
        return status;
    client->head.len = 0;
    mr_buf_printf(&client->head, "POST / HTTP/1.1\r\nContent-Length: %zu\r\n", request.len);
    for (size_t i = 0; i < MR_ARRAY_LEN(headers) + n; i++) {
        const struct mr_pair *h = i < MR_ARRAY_LEN(headers) ? &headers[i] : &extra[i - MR_ARRAY_LEN(headers)];
        mr_buf_printf(&client->head, MR_STR_FMT ": " MR_STR_FMT "\r\n", MR_STR_ARG(h->name),
                      MR_STR_ARG(h->value));
    }
    mr_buf_str(&client->head, MR_STR("\r\n"));
    return mr_buf_ok(&client->head) ? MR_OK : MR_ENOMEM;
}

/* A blocking socket takes all of it or fails: no signal is handled that could cut the call short. */
static int transmit(const struct client *client, struct mr_str body, struct mr_error *err)
{
    struct iovec parts[2] = {{client->head.ptr, client->head.len}, {(void *)(uintptr_t)body.ptr, body.len}};
    struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};
    if (sendmsg(fileno(client->stream), &msg, MSG_NOSIGNAL) != (ssize_t)(client->head.len + body.len))
        return mr_error_errno(err, MR_EIO, errno, "send");
    return MR_OK;
}

static int receive(struct client *client, int *http_status, struct mr_str *body, struct mr_error *err)
{
    char line[1024];
    size_t length = 0;
    if (fgets(line, sizeof line, client->stream) == NULL || sscanf(line, "HTTP/1.1 %d", http_status) != 1)
        return mr_error_set(err, MR_EIO, "no HTTP answer");
    do {
        if (fgets(line, sizeof line, client->stream) == NULL)
            return mr_error_set(err, MR_EIO, "the server closed the connection");
        if (strncasecmp(line, "content-length:", 15) == 0)
            length = strtoul(line + 15, NULL, 10);
    } while (strcmp(line, "\r\n") != 0);
    client->answer.len = 0;
    char *to = length <= LARGEST_ANSWER ? mr_buf_reserve(&client->answer, length + 1) : NULL;
    if (to == NULL || fread(to, 1, length, client->stream) != length)
        return mr_error_set(err, MR_EIO, "cannot read an answer of %zu bytes", length);
    *body = (struct mr_str){to, length};
    return MR_OK;
}

int client_call(struct client *client, const char *operation, struct mr_str request, int *http_status,
                struct mr_str *body, struct mr_error *err)
{
    int status = render_head(client, operation, request);
    if (status != MR_OK)
        return mr_error_set(err, status, "cannot sign the request");
    if (client->stream == NULL)
        status = dial(client, err);
    if (status == MR_OK)
        status = transmit(client, request, err);
    if (status == MR_OK)
        status = receive(client, http_status, body, err);
    if (status != MR_OK)
        drop(client);
    return status;
}
