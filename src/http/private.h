/* http/private.h - what the files of this room share: the server, one connection, and the calls between them.
 *
 * Threads. The door thread accepts and watches for slow clients. Each I/O thread (libmicrohttpd's) owns the
 * connections handed to it: everything in struct http_conn that is not marked otherwise is touched by that
 * thread alone, except that between the handler's call and http_respond the request belongs to whoever will
 * answer it.
 *
 * The answer may come from any thread, before or after the handler returns. conn->turn decides who continues:
 *
 *   RUNNING   the handler has been called; the I/O thread will look again soon
 *   PARKED    the connection is suspended; the answerer must resume it       (I/O thread, from RUNNING)
 *   ANSWERED  the answer lies in conn->answer                                (answerer, from any)
 *   ABANDONED the server stops and will not wait; the I/O thread closes it   (stop or I/O thread, from
 * PARKED) ORPHANED  the connection is gone; the answerer frees what is left of it  (I/O thread at close, from
 * any; when it was ANSWERED nothing is left)
 */
#ifndef MR_HTTP_PRIVATE_H
#define MR_HTTP_PRIVATE_H

#include "http/head.h"
#include "http/http.h"
#include "http/tls.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

enum http_turn { HTTP_RUNNING, HTTP_PARKED, HTTP_ANSWERED, HTTP_ABANDONED, HTTP_ORPHANED };

/* Where the connection is in its cycle. The watch reads it to know which deadline holds. */
enum http_stage {
    HTTP_WAITING,  /* between requests, or in the middle of a head */
    HTTP_BODY,     /* head accepted, body incomplete */
    HTTP_HANDLING, /* request complete, answer not fully sent */
};

struct http_conn {
    struct http_server *server; /* counted in server->refs */
    struct MHD_Connection *mhd;
    int fd;                        /* libmicrohttpd's; valid until http_conn_closed */
    void *tls;                     /* gnutls_session_t, or NULL */
    struct http_tls *tls_set;      /* what its handshake uses; counted */
    struct http_conn *prev, *next; /* server->conns, under server->lock */

    struct http_conn *prev_head, *next_head; /* this thread's heads being read (request.c) */
    const char *target_at;                   /* where the target lay in the library's memory */
    struct mr_str target;                    /* copy of it as received, in req.arena */
    struct http_framing framing;
    struct mr_buf body; /* req.body while it grows; http_body_release frees it */
    bool in_head_list, in_flight, refused, oom;
    struct http_request req;

    _Atomic int turn;            /* enum http_turn */
    struct MHD_Response *answer; /* written before turn becomes ANSWERED; NULL when it could not be built */
    unsigned answer_status;
    size_t answer_bytes;

    _Atomic int stage;           /* enum http_stage; written by the I/O thread, read by the watch */
    _Atomic int64_t stage_since; /* monotonic ns */
    _Atomic uint64_t body_bytes; /* received of the current body */
    _Atomic unsigned cycle;      /* requests finished, so that the watch notices a new wait */

    unsigned watched_cycle; /* the rest belongs to the watch, under server->lock */
    uint64_t watched_bytes; /* TCP bytes received when this wait was first seen */
    int64_t head_since;     /* when a head was first seen to have begun, 0 for not yet */
    unsigned seen_cycle;    /* cycle and TCP bytes received at the last tick */
    uint64_t seen_bytes;
    unsigned body_cycle;   /* the body that the next two are about: */
    int64_t body_since;    /* when the stretch that is looked at began */
    uint64_t body_before;  /* bytes that were there then */
    unsigned closed_ticks; /* ticks for which the client has been half closed and silent */
    bool shut;             /* the watch has given it up */
};

/* A socket that was closed with input unread: kept a moment so that the answer survives (conn.c). */
struct http_linger {
    int fd;
    int64_t until;
};

#define HTTP_MAX_LINGER 256
#define HTTP_MAX_LISTEN 8

struct http_server {
    struct http_options options;              /* with defaults filled in; texts are not kept, but for: */
    char *tls_cert, *tls_key, *tls_client_ca; /* paths, owned; NULL without TLS */
    struct MHD_Daemon *daemon;
    int listen_fd[HTTP_MAX_LISTEN];
    size_t nlisten;
    uint16_t port;
    int wake_fd; /* eventfd that ends the door thread */
    pthread_t door;
    bool door_runs;

    atomic_uint refs;      /* the owner and each connection record */
    atomic_uint answering; /* threads inside http_respond's critical part */
    atomic_uint in_flight; /* requests with a complete head and no complete answer */
    atomic_bool draining;  /* answers say Connection: close */
    atomic_bool stopping;  /* nothing is waited for any more */

    pthread_mutex_t lock; /* guards what follows; not taken per request */
    pthread_cond_t drained;
    struct http_tls *tls; /* the current set, counted; NULL without TLS */
    struct http_conn *conns;
    struct http_linger linger[HTTP_MAX_LINGER];
    size_t nlinger;

    atomic_size_t bodies; /* bytes of all conn->body beyond the first HTTP_BODY_FREE of each */
    _Atomic uint64_t open, accepted, refused, requests, faults, bytes_in, bytes_out;
    struct mr_error *start_err; /* where the library's messages go while starting, else NULL */
};

/* listen.c: binds every address the name stands for, all on one port. Fills listen_fd, nlisten and port. */
int http_listen(struct http_server *server, const char *host, uint16_t port, struct mr_error *err);

/* door.c: accepts connections and ticks the watch until wake_fd is readable. */
void *http_door(void *server);

/* watch.c: shuts connections that are too slow; `now` is monotonic ns. */
void http_watch(struct http_server *server, int64_t now);

/* conn.c: the record of a connection; callbacks of libmicrohttpd. */
void http_conn_notify(void *server, struct MHD_Connection *mhd, void **context,
                      enum MHD_ConnectionNotificationCode code);
void http_conn_enter(struct http_conn *conn, enum http_stage stage);
void http_conn_free(struct http_conn *conn);
void http_body_release(struct http_conn *conn);
static inline size_t http_body_counted(size_t len)
{
    return len > HTTP_BODY_FREE ? len - HTTP_BODY_FREE : 0;
}
void http_server_unref(struct http_server *server);
/* Half closes it and keeps it a moment (takes it over), so that what was sent is read before the client's own
 * bytes reset it. False: there is no room. */
bool http_linger_add(struct http_server *server, int fd);
void http_linger_drain(struct http_server *server, int64_t now); /* reads and drops; closes what is over */

/* request.c: callbacks of libmicrohttpd, in the order of a request. */
void *http_on_target(void *server, const char *target, struct MHD_Connection *mhd);
enum MHD_Result http_on_access(void *server, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **context);
void http_on_completed(void *server, struct MHD_Connection *mhd, void **context,
                       enum MHD_RequestTerminationCode code);
void http_on_log(void *server, const char *format, va_list args) MR_PRINTF(2, 0);

/* answer.c */
enum MHD_Result http_answer_queue(struct http_conn *conn);
/* Answers a fault past the library and marks the connection to be closed; the caller returns MHD_NO. */
enum MHD_Result http_answer_fault(struct http_conn *conn, enum http_fault fault);
void http_request_id(char out[static 27]);
/* Answers a connection that is one too many, as far as that goes without waiting, and closes it. */
void http_turn_away(struct http_server *server, int fd);

#endif
