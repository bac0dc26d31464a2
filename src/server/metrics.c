/* Prometheus text: every counter of the rooms, under the names operators of Timestream know where there is
 * one. */
#include "server/handler.h"

#include "query/query.h"
#include "care/scrub.h"
#include "reports/reports.h"
#include "store/store.h"

#include <inttypes.h>
#include <sys/resource.h>

static void value(struct mr_buf *out, const char *name, const char *kind, const char *help, uint64_t v)
{
    mr_buf_printf(out, "# HELP millrace_%s %s\n# TYPE millrace_%s %s\nmillrace_%s %" PRIu64 "\n", name, help,
                  name, kind, name, v);
}

static void seconds(struct mr_buf *out, const char *name, const char *kind, const char *help, double v)
{
    mr_buf_printf(out, "# HELP millrace_%s %s\n# TYPE millrace_%s %s\nmillrace_%s %.9g\n", name, help, name,
                  kind, name, v);
}

static const char *operation_name(size_t i)
{
    return i != MODEL_OP_NONE ? model_operation((enum model_op)i)->name.ptr : "none";
}

static void operations(const struct api_metrics *m, struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("# HELP millrace_request_seconds time from the first byte to the answer\n"
                           "# TYPE millrace_request_seconds histogram\n"));
    for (size_t i = 0; i < MODEL_OP_COUNT; i++) {
        const struct api_operation_metrics *op = &m->operation[i];
        uint64_t requests = api_metrics_get(&op->requests), below = 0;
        if (requests == 0)
            continue;
        for (size_t b = 0; b < API_LATENCY_BUCKETS; b++) {
            below += api_metrics_get(&op->latency[b]);
            mr_buf_printf(out, "millrace_request_seconds_bucket{operation=\"%s\",le=\"%g\"} %" PRIu64 "\n",
                          operation_name(i), (double)api_latency_bounds[b] / 1e9, below);
        }
        mr_buf_printf(out,
                      "millrace_request_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
                      "millrace_request_seconds_sum{operation=\"%s\"} %.9g\n"
                      "millrace_request_seconds_count{operation=\"%s\"} %" PRIu64 "\n",
                      operation_name(i), requests, operation_name(i),
                      (double)api_metrics_get(&op->latency_ns) / 1e9, operation_name(i), requests);
    }
    mr_buf_str(out, MR_STR("# HELP millrace_request_errors_total answers with an error, by whose fault\n"
                           "# TYPE millrace_request_errors_total counter\n"));
    for (size_t i = 0; i < MODEL_OP_COUNT; i++) {
        const struct api_operation_metrics *op = &m->operation[i];
        if (api_metrics_get(&op->requests) == 0)
            continue;
        mr_buf_printf(out,
                      "millrace_request_errors_total{operation=\"%s\",fault=\"user\"} %" PRIu64 "\n"
                      "millrace_request_errors_total{operation=\"%s\",fault=\"system\"} %" PRIu64 "\n",
                      operation_name(i), api_metrics_get(&op->user_errors), operation_name(i),
                      api_metrics_get(&op->system_errors));
    }
}

static void write_counters(const struct api_metrics *m, struct mr_buf *out)
{
    value(out, "records_memory_total", "counter", "records ingested into the memory store",
          api_metrics_get(&m->records_memory));
    value(out, "records_magnetic_total", "counter", "records ingested into the magnetic store",
          api_metrics_get(&m->records_magnetic));
    value(out, "records_rejected_total", "counter", "records rejected",
          api_metrics_get(&m->records_rejected));
    value(out, "records_rejected_later_total", "counter",
          "magnetic-store records whose version lost, acknowledged all the same (magnetic-conflicts = later)",
          api_metrics_get(&m->records_unreported));
    value(out, "requests_throttled_total", "counter", "calls refused for the rate of their access key",
          api_metrics_get(&m->throttled));
    value(out, "cumulative_bytes_metered_total", "counter",
          "what AWS would have metered for writes, whole KiB a request", api_metrics_get(&m->metered_bytes));
}

static void store_counters(struct store *store, struct mr_buf *out)
{
    struct store_stats s;
    store_stats(store, &s);
    value(out, "store_tables", "gauge", "tables with data", s.tables);
    value(out, "store_series", "gauge", "time series", s.series);
    value(out, "store_rows", "gauge", "rows in memory", s.rows);
    value(out, "store_file_rows", "gauge", "rows in files, replaced and expired ones included until a merge",
          s.file_rows);
    value(out, "store_memory_bytes", "gauge", "memory store in use", s.memory_bytes);
    value(out, "store_series_bytes", "gauge", "of it, the series index", s.series_bytes);
    value(out, "store_files", "gauge", "files of the magnetic store", s.files);
    value(out, "store_file_bytes", "gauge", "bytes of these files", s.file_bytes);
    value(out, "store_old_key_files", "gauge",
          "of these files, under another key than their database has now", s.old_key_files);
    value(out, "store_old_key_bytes", "gauge", "bytes of them", s.old_key_bytes);
    value(out, "store_closed_files", "gauge", "files that cannot be read because their key is not at hand",
          s.closed_files);
    value(out, "store_flushes_total", "counter", "times that rows went from memory to files", s.flushes);
    value(out, "store_flush_rows_total", "counter", "rows that went", s.flush_rows);
    value(out, "store_compactions_total", "counter", "merges of files", s.compactions);
    value(out, "store_compacted_rows_total", "counter", "rows written by merges", s.compacted_rows);
    value(out, "block_cache_bytes", "gauge", "decoded blocks of files in memory", s.cache_bytes);
    value(out, "block_cache_hits_total", "counter", "pieces of blocks found there", s.cache_hits);
    value(out, "block_cache_misses_total", "counter", "pieces of blocks read and decoded", s.cache_misses);
    value(out, "log_bytes", "gauge", "write-ahead log on disk", s.log_bytes);
    value(out, "log_last_lsn", "gauge", "last log entry given out", s.last_lsn);
    value(out, "log_durable_lsn", "gauge", "last log entry on disk", s.durable_lsn);
    value(out, "log_syncs_total", "counter", "syncs of the log", s.syncs);
    seconds(out, "log_sync_seconds_total", "counter", "time in syncs of the log",
            (double)s.sync_ns_total / 1e9);
    seconds(out, "log_sync_seconds_max", "gauge", "longest sync of the log", (double)s.sync_ns_max / 1e9);
}

static void query_counters(struct query_service *query, struct mr_buf *out)
{
    struct query_stats s;
    query_service_stats(query, &s);
    value(out, "queries_total", "counter", "queries begun", s.started);
    value(out, "queries_failed_total", "counter", "queries that failed while they ran", s.failed);
    value(out, "queries_cancelled_total", "counter", "queries cancelled", s.cancelled);
    value(out, "queries_refused_total", "counter", "queries refused for MaxQueryTCU", s.refused);
    value(out, "queries_in_progress", "gauge", "queries that run or wait for their turn", s.in_progress);
    value(out, "queries_running", "gauge", "queries that run", s.running);
    value(out, "queries_kept", "gauge", "queries kept, with those that wait for their next page", s.kept);
    value(out, "query_rows_total", "counter", "rows answered", s.rows);
    value(out, "query_bytes_total", "counter", "bytes of rows answered", s.bytes);
}

static void scrub_counters(struct care_scrub *scrub, struct mr_buf *out)
{
    struct care_scrub_state s;
    (void)care_scrub_state(scrub, NULL, &s); /* cannot fail without an arena */
    value(out, "scrub_passes_total", "counter", "checks of all stored files that have ended", s.passes);
    value(out, "scrub_bytes_total", "counter", "bytes of files looked at by them", s.bytes);
    value(out, "scrub_damaged", "gauge", "damaged places found by the last or present one", s.damaged);
    seconds(out, "scrub_ended_seconds", "gauge", "when the last one ended; 0: none since the start",
            (double)s.ended / 1e9);
}

static void report_counters(struct reports *reports, struct mr_buf *out)
{
    struct reports_stats s;
    reports_stats(reports, &s);
    value(out, "reports_total", "counter", "reports of rejected magnetic-store records written to S3",
          s.objects);
    value(out, "report_records_total", "counter", "records in them", s.records);
    mr_buf_printf(out,
                  "# HELP millrace_report_failures_total attempts to write one that failed, by whose fault\n"
                  "# TYPE millrace_report_failures_total counter\n"
                  "millrace_report_failures_total{fault=\"user\"} %" PRIu64 "\n"
                  "millrace_report_failures_total{fault=\"system\"} %" PRIu64 "\n",
                  s.user_failures, s.own_failures);
    value(out, "report_records_dropped_total", "counter", "records that were never reported", s.dropped);
    value(out, "report_waiting_bytes", "gauge", "memory of reports that wait", s.waiting_bytes);
}

static void http_counters(struct http_server *http, struct mr_buf *out)
{
    struct http_stats s;
    http_server_stats(http, &s);
    value(out, "http_connections", "gauge", "open connections", s.connections_open);
    value(out, "http_connections_total", "counter", "connections accepted", s.connections_accepted);
    value(out, "http_connections_refused_total", "counter", "connections refused for a limit",
          s.connections_refused);
    value(out, "http_requests_total", "counter", "requests received whole", s.requests);
    value(out, "http_faults_total", "counter", "requests refused before the API saw them", s.faults);
    value(out, "http_received_bytes_total", "counter", "bytes of request bodies", s.bytes_in);
    value(out, "http_sent_bytes_total", "counter", "bytes of response bodies", s.bytes_out);
}

static void chaos_counters(const struct api_chaos *chaos, struct mr_buf *out)
{
    mr_buf_printf(out,
                  "# HELP millrace_chaos_total faults on purpose\n# TYPE millrace_chaos_total counter\n");
    for (int kind = 0; kind < CHAOS_KINDS; kind++)
        mr_buf_printf(out, "millrace_chaos_total{kind=\"%s\"} %" PRIu64 "\n",
                      api_chaos_name((enum api_chaos_kind)kind),
                      api_chaos_count(chaos, (enum api_chaos_kind)kind));
}

static void audit_counters(const struct api_audit *audit, struct mr_buf *out)
{
    struct api_audit_counts c;
    api_audit_counts(audit, &c);
    value(out, "audit_records_total", "counter", "records written to the audit log", c.written);
    value(out, "audit_records_lost_total", "counter", "records that could not be written", c.lost);
    value(out, "audit_records_left_out_total", "counter", "unsigned calls beyond what is recorded of them",
          c.left_out);
}

void server_metrics_text(const struct server_handler *h, struct mr_buf *out)
{
    const struct api_metrics *m = api_server_metrics(h->api);
    operations(m, out);
    write_counters(m, out);
    store_counters(h->context->store, out);
    scrub_counters(h->scrub, out);
    query_counters(h->context->query, out);
    if (h->reports != NULL)
        report_counters(h->reports, out);
    if (h->http != NULL)
        http_counters(h->http, out);
    if (h->chaos != NULL)
        chaos_counters(h->chaos, out);
    if (h->audit != NULL)
        audit_counters(h->audit, out);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        seconds(out, "process_cpu_seconds_total", "counter", "user and system time of the process",
                (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    seconds(out, "start_time_seconds", "gauge", "when the server started", (double)h->started_wall / 1e9);
}
