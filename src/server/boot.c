#include "server/boot.h"

#include "server/access.h"
#include "server/chaos_call.h"
#include "server/datadir.h"
#include "server/handler.h"
#include "server/keys.h"
#include "server/report_sink.h"
#include "server/retention.h"
#include "server/test_clock.h"

#include "care/scrub.h"
#include "engine/engine.h"
#include "ingest/ingest.h"
#include "query/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

struct server {
    const struct server_config *config;
    const struct mr_clock *clock; /* the system's, or test_clock */
    struct mr_clock test_clock;
    struct datadir dir;
    struct mr_buf root_id, root_secret; /* kept for reloads */
    struct api_access *access;          /* until the API has it */
    struct catalog *catalog;
    struct server_keys keys;
    struct reports *reports; /* NULL: no object storage */
    struct store *store;
    struct engine *engine;
    struct query_service *query;
    struct retention_job *retention;
    struct care_scrub *scrub;
    struct workers *workers, *query_workers;
    struct api_audit *audit; /* NULL: none */
    struct api_chaos *chaos; /* NULL: none */
    struct api_server *api;
    struct api_context context;
    struct server_handler handler;
    struct http_server *http;
    char url[300];
};

/* A core or a debugger's attach would show key material and records (reliability rule 9). */
static void protect_process(void)
{
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        mr_log(MR_LOG_WARN, "process_protection_failed", "detail=\"core files may be written\"");
}

/* How many connections there may be: files need descriptors, too, so half of them are not for connections, as
 * long as that is no more than files ever need. Raises the soft limit to the hard one first. */
static unsigned connections(const struct server_config *c)
{
    enum { FOR_FILES = 4096 };
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return (unsigned)c->max_connections;
    rlim_t before = files.rlim_cur;
    files.rlim_cur = files.rlim_max;
    if (before != files.rlim_max && setrlimit(RLIMIT_NOFILE, &files) != 0)
        files.rlim_cur = before;
    rlim_t rest = files.rlim_cur / 2 < FOR_FILES ? files.rlim_cur / 2 : FOR_FILES;
    if (files.rlim_cur == RLIM_INFINITY || (rlim_t)c->max_connections <= files.rlim_cur - rest)
        return (unsigned)c->max_connections;
    unsigned most = files.rlim_cur >= 4 ? (unsigned)(files.rlim_cur - rest) : 1;
    mr_log(MR_LOG_WARN, "connections_limited",
           "max_connections=%u detail=\"the process may open %llu files\"", most,
           (unsigned long long)files.rlim_cur);
    return most;
}

/* What the access files say now. */
static int load_access(struct server *s, struct api_access **out, struct mr_error *err)
{
    const struct access_files files = {
        .root_id = mr_buf_view(&s->root_id),
        .root_secret = mr_buf_view(&s->root_secret),
        .credentials = s->config->credentials,
        .users = s->config->users,
    };
    return access_load(&files, out, err);
}

static int load_keys(struct server *s, struct mr_error *err)
{
    int status = datadir_root_credentials(&s->dir, &s->root_id, &s->root_secret, err);
    if (status == MR_OK)
        status = load_access(s, &s->access, err);
    unsetenv("MILLRACE_ROOT_SECRET_ACCESS_KEY");
    return status;
}

void server_reload(struct server *s)
{
    struct mr_error err = MR_ERROR_INIT;
    struct api_access *access;
    if (s->audit != NULL && api_audit_reopen(s->audit, &err) != MR_OK) {
        mr_log(MR_LOG_ERROR, "audit_log_not_reopened", "detail=\"the old file goes on\" text=\"%s\"",
               err.text);
        err = (struct mr_error)MR_ERROR_INIT;
    }
    if (http_server_reload(s->http, &err) != MR_OK) {
        mr_log(MR_LOG_ERROR, "tls_not_reloaded", "detail=\"the certificate of before stays\" text=\"%s\"",
               err.text);
        err = (struct mr_error)MR_ERROR_INIT;
    }
    if (load_access(s, &access, &err) != MR_OK) {
        mr_log(MR_LOG_ERROR, "reload_failed", "detail=\"the keys and users of before stay\" text=\"%s\"",
               err.text);
        return;
    }
    size_t users = 0, keys = auth_keys_count(access->keys);
    if (access->users != NULL)
        policy_users_list(access->users, &users);
    api_server_set_access(s->api, access);
    mr_log(MR_LOG_INFO, "reloaded", "keys=%zu users=%zu", keys, users);
}

static void choose_clock(struct server *s)
{
    s->clock = &mr_clock_system;
    if (s->config->test_clock == TEST_CLOCK_OFF)
        return;
    test_clock_init(&s->test_clock, (enum test_clock_mode)s->config->test_clock);
    s->clock = &s->test_clock;
    mr_log(MR_LOG_WARN, "test_clock_on",
           "detail=\"requests can set this server's clock forward, and data expires by it; not for data that "
           "matters\"");
}

/* The catalog knows which tables are gone, also when the disk was too full to log it. */
static int open_store(struct server *s, struct store_options *options, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    uint64_t *dropped = NULL;
    size_t ndropped = 0;
    int status = catalog_dropped_tables(s->catalog, &arena, &dropped, &ndropped);
    if (status != MR_OK)
        mr_error_set(err, (enum mr_status)status, "the list of deleted tables cannot be read");
    options->dropped = dropped;
    options->ndropped = ndropped;
    if (status == MR_OK)
        status = store_open(options, &s->store, err);
    mr_arena_release(&arena);
    return status;
}

/* The catalog, what the API keeps in it, and the keys it speaks of: the store asks for these when it opens.
 */
static int open_catalog(struct server *s, struct mr_error *err)
{
    const struct server_config *c = s->config;
    int status = catalog_open(s->dir.path, s->clock, &s->catalog, err);
    s->context = (struct api_context){
        .catalog = s->catalog,
        .clock = s->clock,
        .account = c->account,
        .max_databases = (uint64_t)c->max_databases,
        .max_tables = (uint64_t)c->max_tables,
        .partition = c->partition,
        .public_host = c->public_host,
        .magnetic_conflicts_later = c->magnetic_conflicts == INGEST_CONFLICTS_LATER,
    };
    if (status == MR_OK)
        status = api_context_init(&s->context, err);
    if (status == MR_OK)
        status = server_keys_open(&s->keys, c, &s->context, err);
    if (status == MR_OK)
        status = report_sink_open(c, &s->reports, err);
    s->context.reports = report_sink_calls(s->reports);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_SESSION_TOKEN");
    return status;
}

/* Where nobody says what the process may take: twice what its parts may, and no less than a GiB. */
static size_t process_limit(const struct server_config *c)
{
    int64_t parts = c->memory_limit + c->block_cache + c->max_bodies + c->log_queue + 2 * c->query_memory;
    if (c->memory != 0)
        return (size_t)c->memory;
    return parts < INT64_C(1) << 29 ? (size_t)1 << 30 : 2 * (size_t)parts;
}

static int open_data(struct server *s, struct mr_error *err)
{
    const struct server_config *c = s->config;
    struct store_options store = {
        .io = &mr_io_posix,
        .clock = s->clock,
        .dir = s->dir.store_path,
        .wal_queue_bytes = (size_t)c->log_queue,
        .wal_segment_bytes = (uint64_t)c->log_segment,
        .memory_limit = (size_t)c->memory_limit,
        .cache_bytes = (size_t)c->block_cache,
        .no_cache = c->block_cache == 0,
        .flush_bytes = (size_t)c->flush_bytes,
        .flush_log_bytes = (uint64_t)c->flush_log_bytes,
        .window_ns = c->file_window_days * MR_NS_PER_DAY,
        .file_bytes = (uint64_t)c->file_bytes,
        .outside = &s->keys.outside,
        .key_life_ns = c->key_cache_seconds * MR_NS_PER_S,
    };
    struct engine_options engine = {
        .memory_limit = (size_t)c->query_memory,
        .process_limit = process_limit(c),
        .threads = (unsigned)c->query_threads,
        .clock = s->clock,
    };
    int64_t begin = mr_clock_mono(&mr_clock_system);
    int status = open_catalog(s, err);
    if (status == MR_OK)
        status = open_store(s, &store, err);
    if (status != MR_OK)
        return status;
    s->context.store = s->store;
    s->context.keys = s->keys.calls;
    server_keys_settle(&s->keys);
    struct store_stats stats;
    store_stats(s->store, &stats);
    mr_log(MR_LOG_INFO, "recovered", "rows=%llu series=%llu log_bytes=%llu ms=%lld",
           (unsigned long long)stats.rows, (unsigned long long)stats.series,
           (unsigned long long)stats.log_bytes,
           (long long)((mr_clock_mono(&mr_clock_system) - begin) / MR_NS_PER_MS));
    status = engine_open(&engine, &s->engine, err);
    if (status != MR_OK)
        return status;
    struct retention_options retention = {
        .catalog = s->catalog,
        .store = s->store,
        .clock = s->clock,
        .trusting = c->test_clock != TEST_CLOCK_OFF,
        .interval_ns = 60 * MR_NS_PER_S,
    };
    return retention_start(&retention, &s->retention, err);
}

static int start_scrub(struct server *s, struct mr_error *err)
{
    const struct care_scrub_options scrub = {
        .store = s->store,
        .catalog = s->catalog,
        .bytes_per_second = (uint64_t)s->config->scrub_rate,
        .every_ns = s->config->scrub_hours * MR_NS_PER_HOUR,
    };
    return care_scrub_start(&scrub, &s->scrub, err);
}

/* Results that wait for somebody to fetch their next page: each may hold some MiB, and a snapshot. */
static unsigned parked(const struct server_config *c)
{
    int64_t count = c->query_memory / ((int64_t)4 << 20);
    return (unsigned)(count > 200 ? 200 : count);
}

static void set_query_capacity(void *query, int64_t tcu)
{
    query_service_set_tcu(query, tcu);
}

static int open_chaos(struct server *s, struct mr_error *err)
{
    int status = api_chaos_new(&s->chaos);
    if (status == MR_OK)
        status = api_chaos_set(s->chaos, mr_str_of(s->config->chaos), err);
    if (status != MR_OK)
        return mr_error_set(err, status, "out of memory");
    server_chaos_warn(s->chaos);
    return MR_OK;
}

static int start_api(struct server *s, struct mr_error *err)
{
    const struct server_config *c = s->config;
    struct api_context *context = &s->context;
    struct query_options query = {
        .engine = s->engine,
        .store = s->store,
        .catalog = s->catalog,
        .clock = s->clock,
        .concurrency = (unsigned)c->query_concurrency,
        .max_parked = parked(c),
        .timeout_ns = c->query_seconds * MR_NS_PER_S,
    };
    int status = query_service_open(&query, &s->query, err);
    if (status != MR_OK)
        return status;
    context->query = s->query;
    context->retention =
        (struct api_retention_guard){retention_change_begin, retention_change_end, s->retention};
    context->capacity = (struct api_capacity){set_query_capacity, s->query};
    if ((status = api_boot_cleanup(context, err)) != MR_OK ||
        (status = api_capacity_boot(context, err)) != MR_OK)
        return status;
    if ((status = workers_start((unsigned)c->worker_threads, 10000, &s->workers, err)) != MR_OK ||
        (status = workers_start((unsigned)c->query_calls, 10000, &s->query_workers, err)) != MR_OK)
        return status;
    const struct api_audit_options audit = {c->audit_log, c->audit_data != 0, c->audit_required != 0};
    if (c->audit_log != NULL && (status = api_audit_open(&audit, &s->audit, err)) != MR_OK)
        return status;
    if (c->chaos != NULL && (status = open_chaos(s, err)) != MR_OK)
        return status;
    struct api_options api = {
        .chaos = s->chaos,
        .rates = {c->key_rate, c->change_rate, c->list_rate},
        .audit = s->audit,
        .context = *context,
        .access = s->access,
        .auth = {.skew_ns = c->clock_skew_minutes * 60 * MR_NS_PER_S},
        .auth_clock = &mr_clock_system, /* clients sign with their clocks, whatever a test does to ours */
        .defer = server_defer,
        .defer_ctx = &s->handler,
    };
    status = api_server_new(&api, &s->api, err);
    if (status == MR_OK)
        s->access = NULL; /* the API's now */
    return status;
}

static int listen_http(struct server *s, struct mr_error *err)
{
    const struct server_config *c = s->config;
    s->handler = (struct server_handler){
        .api = s->api,
        .workers = s->workers,
        .query_workers = s->query_workers,
        .context = &s->context,
        .store_path = s->dir.store_path,
        .started_wall = mr_clock_wall(&mr_clock_system),
        .test_clock = c->test_clock != TEST_CLOCK_OFF ? &s->test_clock : NULL,
        .retention = s->retention,
        .scrub = s->scrub,
        .audit = s->audit,
        .reports = s->reports,
        .chaos = s->chaos,
        .auth = {.skew_ns = c->clock_skew_minutes * 60 * MR_NS_PER_S},
    };
    struct http_options http = {
        .host = c->host,
        .port = c->port,
        .tls_cert = c->tls_cert,
        .tls_key = c->tls_key,
        .tls_client_ca = c->tls_client_ca,
        .threads = (unsigned)c->io_threads,
        .max_connections = connections(c),
        .idle_seconds = (unsigned)c->idle_seconds,
        .max_body = (size_t)c->max_body,
        .max_bodies = (size_t)c->max_bodies,
        .max_head = (size_t)c->max_head,
        .handler = server_handle,
        .fault = server_http_fault,
        .ctx = &s->handler,
    };
    int status = http_server_start(&http, &s->http, err);
    if (status != MR_OK)
        return status;
    s->handler.http = s->http;
    bool v6 = strchr(c->host, ':') != NULL;
    snprintf(s->url, sizeof s->url, "%s://%s%.250s%s:%u", c->tls_cert != NULL ? "https" : "http",
             v6 ? "[" : "", c->host, v6 ? "]" : "", http_server_port(s->http));
    return MR_OK;
}

int server_start(const struct server_config *config, struct server **out, struct mr_error *err)
{
    struct server *s = mr_calloc(1, sizeof *s);
    if (s == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory starting the server");
    s->config = config;
    s->dir = (struct datadir)DATADIR_INIT;
    choose_clock(s);
    protect_process();
    int status = datadir_open(config->data, &s->dir, err);
    if (status == MR_OK)
        status = load_keys(s, err);
    if (status == MR_OK)
        status = open_data(s, err);
    if (status == MR_OK)
        status = start_scrub(s, err);
    if (status == MR_OK)
        status = start_api(s, err);
    if (status == MR_OK)
        status = listen_http(s, err);
    if (status != MR_OK) {
        server_stop(s);
        return mr_error_set(err, (enum mr_status)status, "the server cannot start (%s)",
                            mr_status_name((enum mr_status)status));
    }
    *out = s;
    return MR_OK;
}

const char *server_url(const struct server *server)
{
    return server->url;
}

void server_stop(struct server *s)
{
    if (s == NULL)
        return;
    if (s->http != NULL)
        http_server_stop(s->http, (unsigned)(s->config->drain_seconds * 1000));
    if (s->query != NULL)
        query_service_drain(s->query); /* what the drain time was not enough for */
    server_keys_cancel(&s->keys);
    workers_stop(s->workers);
    workers_stop(s->query_workers);
    if (s->api != NULL)
        api_server_free(s->api);
    api_audit_close(s->audit);
    api_chaos_free(s->chaos);
    if (s->query != NULL)
        query_service_close(s->query);
    retention_stop(s->retention);
    care_scrub_stop(s->scrub);
    if (s->engine != NULL)
        engine_close(s->engine);
    if (s->store != NULL)
        store_close(s->store);
    reports_close(s->reports);
    server_keys_close(&s->keys);
    api_context_release(&s->context);
    if (s->catalog != NULL)
        catalog_close(s->catalog);
    api_access_unref(s->access);
    if (s->root_secret.ptr != NULL)
        explicit_bzero(s->root_secret.ptr, s->root_secret.len);
    mr_buf_release(&s->root_id);
    mr_buf_release(&s->root_secret);
    datadir_close(&s->dir);
    mr_free(s);
}
