/* The journey of a request through libmicrohttpd's callbacks, all on the connection's I/O thread:
 *
 *   http_on_target     the request line has been read; the target is still as received
 *   http_on_access     1. the head is complete: believe it or refuse it
 *                      2. body bytes, any number of times
 *                      3. the request is complete: call the handler and, if it has answered, answer
 *                      4. else once more at once: answer or park
 *                      5. after http_respond has resumed a parked connection: answer
 *   http_on_completed  the answer has been sent, or the connection ended before
 *
 * What the library refuses by itself, with a page of its own, never reaches us: a request line without target
 * or version, a header line without colon, a malformed chunk, a head that does not fit its memory.
 */
#include "http/private.h"

#include "base/clock.h"

#include <stdio.h>
#include <sched.h>
#include <sys/socket.h>

/* Connections of this thread between http_on_target and the first http_on_access. */
static _Thread_local struct http_conn *heads;

static void head_list_add(struct http_conn *conn)
{
    conn->in_head_list = true;
    conn->prev_head = NULL;
    conn->next_head = heads;
    if (heads != NULL)
        heads->prev_head = conn;
    heads = conn;
}

static void head_list_remove(struct http_conn *conn)
{
    if (!conn->in_head_list)
        return;
    conn->in_head_list = false;
    if (conn->prev_head != NULL)
        conn->prev_head->next_head = conn->next_head;
    else
        heads = conn->next_head;
    if (conn->next_head != NULL)
        conn->next_head->prev_head = conn->prev_head;
}

void *http_on_target(void *server, const char *target, struct MHD_Connection *mhd)
{
    MR_UNUSED(server);
    struct http_conn *conn = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (conn == NULL)
        return NULL;
    conn->req.started = mr_clock_mono(&mr_clock_system);
    conn->target_at = target;
    conn->target = mr_arena_dup(&conn->req.arena, mr_str_of(target));
    conn->oom = conn->target.ptr == NULL;
    /* The library would now turn each query parameter into a record, enough of which exhaust its memory and
     * make it answer twice. Nobody asks it for parameters: we read the copy. */
    char *query = strchr(target, '?');
    if (query != NULL && query[1] != '\0')
        query[1] = '\0';
    head_list_add(conn);
    return conn;
}

/* The library logs before it answers an error. For an error found when the head is complete (a bad
 * Content-Length, too many cookies) it goes on to write its status line and headers twice (0.9.75,
 * parse_connection_headers). The header size is known exactly in that state, which tells the connection
 * apart; we answer first and close the sending side, so that its own answer goes nowhere. */
void http_on_log(void *arg, const char *format, va_list args)
{
    struct http_server *server = arg;
    if (server->start_err != NULL) {
        char text[256];
        vsnprintf(text, sizeof text, format, args);
        text[strcspn(text, "\n")] = '\0';
        (void)mr_error_set(server->start_err, MR_EINVAL, "cannot start the HTTP server: %s", text);
        return;
    }
    for (struct http_conn *conn = heads; conn != NULL; conn = conn->next_head) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        if (info == NULL || info->header_size == 0) /* 0: refused in the middle of its head, page under way */
            continue;
        (void)http_answer_fault(conn, HTTP_FAULT_MALFORMED);
        shutdown(conn->fd, SHUT_WR);
        return;
    }
}

struct collect {
    struct mr_pair *headers;
    size_t count, max;
};

static enum MHD_Result collect_header(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                      const char *value, size_t value_len)
{
    MR_UNUSED(kind);
    struct collect *all = arg;
    if (all->count == all->max)
        return MHD_NO;
    all->headers[all->count++] = (struct mr_pair){{name, name_len}, {value, value_len}};
    return MHD_YES;
}

/* Moves the views of the head out of the library's memory: a request that its server has abandoned must
 * outlive the connection. One copy of the head as a whole. */
static bool own_head(struct http_request *req, struct mr_str raw, struct mr_pair *headers, size_t count)
{
    struct mr_str copy = mr_arena_dup(&req->arena, raw);
    if (copy.ptr == NULL)
        return false;
    req->method.ptr = copy.ptr;
    for (size_t i = 0; i < count; i++) {
        headers[i].name.ptr = copy.ptr + (headers[i].name.ptr - raw.ptr);
        headers[i].value.ptr = copy.ptr + (headers[i].value.ptr - raw.ptr);
        headers[i].value = mr_str_trim(headers[i].value);
    }
    req->headers = headers;
    req->nheaders = count;
    return true;
}

/* Fills conn->req from the head; false with the fault to answer. */
static bool read_head(struct http_conn *conn, const char *method, const char *version, enum http_fault *fault)
{
    const struct http_options *options = &conn->server->options;
    struct http_request *req = &conn->req;
    size_t size = MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    int count = MHD_get_connection_values(conn->mhd, MHD_HEADER_KIND, NULL, NULL);
    *fault = HTTP_FAULT_HEAD_TOO_LARGE;
    if (size > options->max_head || count < 0 || (unsigned)count > options->max_headers)
        return false;
    *fault = HTTP_FAULT_OUT_OF_MEMORY;
    struct collect all = {.headers = MR_ARENA_ARRAY(&req->arena, (size_t)count + 1, struct mr_pair),
                          .max = (size_t)count};
    if (all.headers == NULL || conn->oom)
        return false;
    MHD_get_connection_values_n(conn->mhd, MHD_HEADER_KIND, collect_header, &all);
    struct http_head head = {.method = mr_str_of(method),
                             .target = {conn->target_at, conn->target.len},
                             .version = mr_str_of(version),
                             .headers = all.headers,
                             .nheaders = all.count};
    *fault = HTTP_FAULT_MALFORMED;
    if (!http_head_tiles(&head, method + size))
        return false;
    *fault = HTTP_FAULT_OUT_OF_MEMORY;
    if (!own_head(req, (struct mr_str){method, size}, all.headers, all.count))
        return false;
    req->method.len = head.method.len;
    head.target = conn->target;
    http_head_split(conn->target, &req->path, &req->query);
    const struct http_limits limits = {.max_body = options->max_body};
    return http_head_check(&head, &limits, &conn->framing, fault);
}

static enum MHD_Result on_head(struct http_conn *conn, const char *method, const char *version)
{
    struct http_server *server = conn->server;
    enum http_fault fault;
    head_list_remove(conn);
    conn->in_flight = true;
    atomic_fetch_add_explicit(&server->in_flight, 1, memory_order_relaxed);
    if (conn->refused)
        return MHD_NO;
    if (!read_head(conn, method, version, &fault))
        return http_answer_fault(conn, fault);
    atomic_store_explicit(&conn->body_bytes, 0, memory_order_relaxed);
    http_conn_enter(conn, HTTP_BODY);
    return MHD_YES;
}

static enum MHD_Result on_body(struct http_conn *conn, const char *data, size_t *size)
{
    struct http_server *server = conn->server;
    if (*size > server->options.max_body - conn->body.len)
        return http_answer_fault(conn, HTTP_FAULT_BODY_TOO_LARGE);
    size_t more = http_body_counted(conn->body.len + *size) - http_body_counted(conn->body.len);
    if (more > 0 &&
        atomic_load_explicit(&server->bodies, memory_order_relaxed) + more > server->options.max_bodies)
        return http_answer_fault(conn, HTTP_FAULT_BODIES_FULL);
    if (conn->body.len == 0 && conn->framing.has_length)
        (void)mr_buf_reserve(&conn->body, (size_t)conn->framing.length);
    mr_buf_add(&conn->body, data, *size);
    if (!mr_buf_ok(&conn->body))
        return http_answer_fault(conn, HTTP_FAULT_OUT_OF_MEMORY);
    atomic_fetch_add_explicit(&server->bodies, more, memory_order_relaxed);
    atomic_store_explicit(&conn->body_bytes, conn->body.len, memory_order_relaxed);
    atomic_fetch_add_explicit(&server->bytes_in, *size, memory_order_relaxed);
    *size = 0;
    return MHD_YES;
}

/* There is no answer yet. Whoever changes `turn` first decides: see private.h. */
static enum MHD_Result park(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    if (atomic_load(&server->stopping))
        return MHD_NO;
    struct MHD_Connection *mhd = conn->mhd;
    MHD_suspend_connection(mhd);
    int turn = HTTP_RUNNING;
    if (!atomic_compare_exchange_strong(&conn->turn, &turn, HTTP_PARKED)) {
        MHD_resume_connection(mhd); /* answered meanwhile, by one who saw nothing to resume */
        return MHD_YES;
    }
    if (atomic_load(&server->stopping)) { /* the stop may have passed before we parked: do its part */
        turn = HTTP_PARKED;
        if (atomic_compare_exchange_strong(&conn->turn, &turn, HTTP_ABANDONED))
            MHD_resume_connection(mhd);
        while (atomic_load(&server->answering) > 0)
            sched_yield(); /* the answerer's own resume must not come after the library is gone */
    }
    return MHD_YES;
}

static enum MHD_Result on_complete(struct http_conn *conn)
{
    struct http_server *server = conn->server;
    http_conn_enter(conn, HTTP_HANDLING);
    conn->req.body = mr_buf_view(&conn->body);
    conn->req.user = NULL;
    http_request_id(conn->req.id);
    atomic_fetch_add_explicit(&server->requests, 1, memory_order_relaxed);
    atomic_store(&conn->turn, HTTP_RUNNING);
    server->options.handler(server->options.ctx, &conn->req);
    if (atomic_load(&conn->turn) == HTTP_ANSWERED)
        return http_answer_queue(conn); /* the common case of a cheap answer: no suspension at all */
    /* The library will call once more, and then the connection parks. Parked now it would wake up still
     * wanting to read, and a client that had half-closed would be cut off before its answer. */
    return MHD_YES;
}

/* Called again for a request that its handler has had: it was not answered at once, or it has been answered.
 */
static enum MHD_Result on_return(struct http_conn *conn)
{
    switch ((enum http_turn)atomic_load(&conn->turn)) {
    case HTTP_RUNNING:
        return park(conn);
    case HTTP_ANSWERED:
        return http_answer_queue(conn);
    case HTTP_PARKED:   /* a suspended connection is not called */
    case HTTP_ORPHANED: /* nor one that has been closed */
        MR_ASSERT(false);
        break;
    case HTTP_ABANDONED:
        break;
    }
    return MHD_NO;
}

enum MHD_Result http_on_access(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **context)
{
    MR_UNUSED(arg);
    MR_UNUSED(mhd);
    MR_UNUSED(url);
    struct http_conn *conn = *context;
    if (conn == NULL)
        return MHD_NO; /* no memory for the record of the connection */
    switch ((enum http_stage)atomic_load_explicit(&conn->stage, memory_order_relaxed)) {
    case HTTP_WAITING:
        return on_head(conn, method, version);
    case HTTP_BODY:
        return *size > 0 ? on_body(conn, data, size) : on_complete(conn);
    case HTTP_HANDLING:
        break;
    }
    return on_return(conn);
}

void http_on_completed(void *arg, struct MHD_Connection *mhd, void **context,
                       enum MHD_RequestTerminationCode code)
{
    MR_UNUSED(mhd);
    MR_UNUSED(code);
    struct http_server *server = arg;
    struct http_conn *conn = *context;
    if (conn == NULL)
        return;
    head_list_remove(conn);
    if (atomic_load(&conn->turn) == HTTP_ANSWERED) { /* else the request belongs to its abandoned answerer */
        http_body_release(conn);
        mr_arena_reset(&conn->req.arena);
    }
    atomic_fetch_add_explicit(&conn->cycle, 1, memory_order_relaxed);
    http_conn_enter(conn, HTTP_WAITING);
    if (!conn->in_flight)
        return;
    conn->in_flight = false;
    if (atomic_fetch_sub(&server->in_flight, 1) == 1 && atomic_load(&server->draining)) {
        pthread_mutex_lock(&server->lock);
        pthread_cond_broadcast(&server->drained);
        pthread_mutex_unlock(&server->lock);
    }
}

struct mr_str http_header(const struct http_request *req, const char *name)
{
    return http_head_find(req->headers, req->nheaders, mr_str_of(name));
}
