#include "http/private.h"

#include "base/clock.h"
#include "base/rand.h"

#include <gnutls/gnutls.h>
#include <unistd.h>
#include <sys/socket.h>
#include <time.h>

#define JSON_1_0 "application/x-amz-json-1.0"

/* 26 characters of the alphabet of AWS's ids. They name requests in logs and need not be secret, so they come
 * from a generator per thread and not from the kernel: one system call less per request. */
void http_request_id(char out[static 27])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    static _Thread_local struct mr_rng rng;
    static _Thread_local bool seeded;
    if (!seeded) {
        mr_random_bytes(&rng.state, sizeof rng.state);
        seeded = true;
    }
    uint64_t bits = 0;
    for (unsigned i = 0; i < 26; i++) {
        if (i % 12 == 0)
            bits = mr_rng_next(&rng);
        out[i] = alphabet[bits & 31];
        bits >>= 5;
    }
    out[26] = '\0';
}

static unsigned fault_status(enum http_fault fault)
{
    switch (fault) {
    case HTTP_FAULT_MALFORMED:
    case HTTP_FAULT_ENCODING:
        return 400;
    case HTTP_FAULT_BODY_TOO_LARGE:
        return 413;
    case HTTP_FAULT_HEAD_TOO_LARGE:
        return 431;
    case HTTP_FAULT_TARGET_TOO_LONG:
        return 414;
    case HTTP_FAULT_CONNECTIONS:
    case HTTP_FAULT_BODIES_FULL:
        return 429;
    case HTTP_FAULT_OUT_OF_MEMORY:
        break;
    }
    return 500;
}

/* Best effort and never blocking: a client that has filled our send buffer gets the close only. */
static void send_now(const struct http_conn *conn, struct mr_str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = conn->tls != NULL ? gnutls_record_send(conn->tls, bytes.ptr, bytes.len)
                                         : send(conn->fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes = mr_str_slice(bytes, (size_t)sent, bytes.len);
    }
}

/* The whole answer as bytes, and that the connection ends. */
static void write_fault(struct http_server *server, enum http_fault fault, struct mr_buf *out)
{
    unsigned status = fault_status(fault);
    char id[27], date[64];
    http_request_id(id);
    time_t now = (time_t)(mr_clock_wall(&mr_clock_system) / MR_NS_PER_S);
    struct tm tm;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    struct mr_buf body = MR_BUF_INIT;
    server->options.fault(server->options.ctx, fault, &body);
    mr_buf_printf(out, "HTTP/1.1 %u %s\r\n", status, MHD_get_reason_phrase_for(status));
    mr_buf_printf(out, "Date: %s\r\nConnection: close\r\nx-amzn-RequestId: %s\r\n", date, id);
    mr_buf_printf(out, "Content-Type: " JSON_1_0 "\r\nContent-Length: %zu\r\n\r\n", body.len);
    mr_buf_str(out, mr_buf_view(&body));
    out->failed = out->failed || !mr_buf_ok(&body);
    mr_buf_release(&body);
}

/* Written past libmicrohttpd, for which nothing is being sent at this point: it can answer only at two points
 * of a request, and in the middle of a body is neither of them. */
enum MHD_Result http_answer_fault(struct http_conn *conn, enum http_fault fault)
{
    struct http_server *server = conn->server;
    struct mr_buf out = MR_BUF_INIT;
    if (conn->refused)
        return MHD_NO;
    conn->refused = true;
    http_body_release(
        conn); /* of a request that no handler has seen; its room is free when the answer is read */
    write_fault(server, fault, &out);
    if (mr_buf_ok(&out))
        send_now(conn, mr_buf_view(&out));
    atomic_fetch_add_explicit(&server->faults, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&server->bytes_out, out.len, memory_order_relaxed);
    mr_buf_release(&out);
    return MHD_NO;
}

void http_turn_away(struct http_server *server, int fd)
{
    struct mr_buf out = MR_BUF_INIT;
    if (server->tls_cert == NULL) { /* else it could be read by nobody */
        write_fault(server, HTTP_FAULT_CONNECTIONS, &out);
        if (mr_buf_ok(&out) && send(fd, out.ptr, out.len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
            atomic_fetch_add_explicit(&server->bytes_out, out.len, memory_order_relaxed);
        mr_buf_release(&out);
    }
    if (!http_linger_add(server, fd))
        close(fd);
}

/* NULL when memory is short. Takes the body. */
static struct MHD_Response *build(const struct http_request *req, struct http_response *res)
{
    if (!mr_buf_ok(&res->body))
        return NULL;
    struct MHD_Response *mhd =
        MHD_create_response_from_buffer_with_free_callback(res->body.len, res->body.ptr, mr_free);
    if (mhd == NULL)
        return NULL;
    res->body = (struct mr_buf)MR_BUF_INIT;
    const char *type = res->content_type != NULL ? res->content_type : JSON_1_0;
    if (MHD_add_response_header(mhd, "x-amzn-RequestId", req->id) == MHD_YES &&
        MHD_add_response_header(mhd, MHD_HTTP_HEADER_CONTENT_TYPE, type) == MHD_YES &&
        (res->allow == NULL || MHD_add_response_header(mhd, MHD_HTTP_HEADER_ALLOW, res->allow) == MHD_YES) &&
        (res->date == NULL || MHD_add_response_header(mhd, MHD_HTTP_HEADER_DATE, res->date) == MHD_YES) &&
        (res->extra.name == NULL ||
         MHD_add_response_header(mhd, res->extra.name, res->extra.value) == MHD_YES) &&
        (!res->close || MHD_add_response_header(mhd, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES))
        return mhd;
    MHD_destroy_response(mhd);
    return NULL;
}

void http_respond(struct http_request *req, struct http_response *res)
{
    struct http_conn *conn = (struct http_conn *)((char *)req - offsetof(struct http_conn, req));
    struct http_server *server = conn->server;
    struct MHD_Connection *mhd = conn->mhd;
    conn->answer_status = res->status;
    conn->answer_bytes = res->body.len;
    conn->answer = build(req, res);
    mr_buf_release(&res->body);
    http_body_release(conn);
    mr_arena_reset(&req->arena);
    /* From the exchange on the connection belongs to its I/O thread and may be freed at any moment; stop
     * waits for `answering` to be 0 before it takes the library down under a call to resume. */
    atomic_fetch_add(&server->answering, 1);
    int turn = atomic_exchange(&conn->turn, HTTP_ANSWERED);
    MR_ASSERT(turn != HTTP_ANSWERED);
    if (turn == HTTP_PARKED)
        MHD_resume_connection(mhd);
    atomic_fetch_sub(&server->answering, 1);
    if (turn == HTTP_ORPHANED)
        http_conn_free(conn);
}

enum MHD_Result http_answer_queue(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    struct MHD_Response *answer = conn->answer;
    conn->answer = NULL;
    if (answer == NULL)
        return http_answer_fault(conn, HTTP_FAULT_OUT_OF_MEMORY);
    if (atomic_load_explicit(&server->draining, memory_order_relaxed))
        (void)MHD_add_response_header(answer, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result queued = MHD_queue_response(conn->mhd, conn->answer_status, answer);
    MHD_destroy_response(answer);
    atomic_fetch_add_explicit(&server->bytes_out, conn->answer_bytes, memory_order_relaxed);
    return queued;
}
