/* server/config.h - every setting of `millrace serve`, described once: flag, file key, default, bounds and
 * help text all come from the table in config.c.
 *
 * Order of precedence: flags, then the file named by --config (lines `key = value`, keys as the flags without
 * dashes,
 * '#' comments), then defaults. Secrets come from the environment or the data directory only.
 */
#ifndef MR_SERVER_CONFIG_H
#define MR_SERVER_CONFIG_H

#include "base/base.h"
#include "base/log.h"

struct server_config {
    char *data; /* owned strings; NULL where not given and without a default */
    char *listen;
    char *tls_cert, *tls_key, *tls_client_ca;
    char *config;
    char *credentials, *users;
    char *account;
    char *partition;
    char *public_host;
    char *log_level;
    char *audit_log, *chaos;
    int64_t audit_data, audit_required; /* 1: on */
    int64_t key_rate, change_rate, list_rate, max_databases, max_tables;
    char *s3_endpoint, *s3_region, *s3_credentials, *s3_ca;
    char *kms_endpoint, *kms_region, *kms_credentials, *kms_ca;
    int64_t io_threads, worker_threads, query_threads, query_concurrency, query_calls;
    int64_t max_connections, idle_seconds, max_body, max_bodies, max_head;
    int64_t memory; /* of the process; 0: the parts are what they are. Already divided among them */
    int64_t memory_limit, block_cache, log_queue, log_segment, query_memory, query_seconds;
    int64_t key_cache_seconds;
    int64_t clock_skew_minutes, drain_seconds;
    int64_t flush_bytes, flush_log_bytes, file_window_days, file_bytes;
    int64_t magnetic_conflicts; /* enum ingest_conflicts */
    int64_t scrub_hours, scrub_rate;
    int64_t test_clock; /* enum test_clock_mode */
    /* derived from listen */
    char *host;
    uint16_t port;
    enum mr_log_level level;
};

/* Defaults, then flags (argv without program and verb), then the file where flags said nothing. MR_EINVAL
 * with a text that names the flag or the line. `*help` is set when --help was asked for; nothing else is
 * checked then. */
int server_config_load(struct server_config *config, int argc, char **argv, bool *help, struct mr_error *err);
void server_config_release(struct server_config *config);

/* The text of `millrace serve --help`. */
void server_config_help(struct mr_buf *out);

#endif
