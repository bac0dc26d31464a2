/* server/boot.h - everything a serving process consists of, started in order and stopped in the reverse one.
 */
#ifndef MR_SERVER_BOOT_H
#define MR_SERVER_BOOT_H

#include "server/config.h"

struct server;

/* Opens the data directory, catalog, store and engine, starts threads and listens. The config outlives the
 * server. */
int server_start(const struct server_config *config, struct server **out, struct mr_error *err);
/* "http://127.0.0.1:8650" */
const char *server_url(const struct server *server);
/* Reads keys and users again. What is wrong with the files is logged, and the old ones stay. */
void server_reload(struct server *server);
/* Stops accepting, finishes what is in flight (bounded by drain-seconds), flushes, frees. NULL is fine. */
void server_stop(struct server *server);

#endif
