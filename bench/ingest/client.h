/* bench/ingest/client.h - one keep-alive connection that signs what it sends. Plain HTTP, one request at a
 * time.
 *
 * Just enough HTTP for the server under test: answers carry Content-Length. Not thread-safe: one owner.
 */
#ifndef MR_BENCH_INGEST_CLIENT_H
#define MR_BENCH_INGEST_CLIENT_H

#include <stdio.h>
#include <sys/socket.h>

#include "auth/auth.h"

struct client_target {
    char host[256]; /* host:port, as it is signed */
    struct sockaddr_storage addr;
    socklen_t addr_len;
    struct auth_credentials cred;
};

struct client {
    const struct client_target *target;
    FILE *stream; /* NULL: not connected */
    struct mr_arena arena;
    struct mr_buf head, answer;
};

/* Resolves "host:port" once. */
int client_resolve(struct client_target *target, const char *endpoint, struct mr_error *err);

void client_init(struct client *client, const struct client_target *target);
void client_release(struct client *client);

/* Sends one operation, connecting first when there is no connection, and reads the whole answer. *body is
 * valid until the next call. MR_EIO when the connection failed (it is closed; the next call makes a new one).
 */
int client_call(struct client *client, const char *operation, struct mr_str request, int *http_status,
                struct mr_str *body, struct mr_error *err);

#endif
