#include "ingest/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

double report_cpu_of(long pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return -1;
    const char *end =
        fgets(line, sizeof line, in) != NULL ? strrchr(line, ')') : NULL; /* the name may hold blanks */
    fclose(in);
    unsigned long user, system;
    if (end == NULL ||
        sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return -1;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double report_cpu_own(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The smallest latency that at least `share` of the requests did not exceed, in milliseconds. */
static double percentile(const struct report_latencies *l, double share)
{
    if (l->n == 0)
        return 0;
    size_t rank = (size_t)(share * (double)l->n + 0.999999);
    return l->us[rank > 0 ? rank - 1 : 0] / 1000.0;
}

static double per(double amount, double seconds)
{
    return seconds > 0 ? amount / seconds : 0;
}

void report_print(const struct report *r, struct report_latencies *latencies)
{
    if (latencies->n > 0)
        qsort(latencies->us, latencies->n, sizeof latencies->us[0], by_value);
    double records = (double)r->requests * r->batch, values = records * r->values_per_record;
    double p50 = percentile(latencies, 0.50), p90 = percentile(latencies, 0.90);
    double p99 = percentile(latencies, 0.99), most = percentile(latencies, 1.0);
    double body = per((double)r->body_bytes, (double)(r->requests + r->errors));

    printf("{\"shape\":\"%s\",\"connections\":%u,\"batch\":%u,\"hosts\":%" PRIu64 ",\"seconds\":%.3f,",
           r->shape, r->connections, r->batch, r->hosts, r->seconds);
    printf("\"requests\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"body_bytes_mean\":%.0f,", r->requests,
           r->errors, body);
    printf("\"records\":%.0f,\"values\":%.0f,\"requests_per_s\":%.1f,\"records_per_s\":%.0f,\"values_per_s\":"
           "%.0f,",
           records, values, per((double)r->requests, r->seconds), per(records, r->seconds),
           per(values, r->seconds));
    printf("\"latency_ms\":{\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f},", p50, p90, p99, most);
    if (r->server_cpu_s >= 0)
        printf("\"server_cpu_s\":%.2f,\"records_per_server_cpu_s\":%.0f,\"values_per_server_cpu_s\":%.0f,",
               r->server_cpu_s, per(records, r->server_cpu_s), per(values, r->server_cpu_s));
    printf("\"own_cpu_s\":%.2f}\n", r->own_cpu_s);
    fflush(stdout);

    FILE *t = stderr;
    fprintf(t, "shape %s, %u connections, %u records a request of %.1f kB, %" PRIu64 " hosts\n", r->shape,
            r->connections, r->batch, body / 1000, r->hosts);
    fprintf(t, "  requests          %12" PRIu64 "   in %.2f s, %" PRIu64 " errors\n", r->requests, r->seconds,
            r->errors);
    fprintf(t, "  records/s         %12.0f\n  values/s          %12.0f\n", per(records, r->seconds),
            per(values, r->seconds));
    fprintf(t, "  latency ms        %12.3f   p50, %.3f p90, %.3f p99, %.3f max\n", p50, p90, p99, most);
    if (r->server_cpu_s >= 0)
        fprintf(t, "  server CPU s      %12.2f   %.0f records and %.0f values per CPU second\n",
                r->server_cpu_s, per(records, r->server_cpu_s), per(values, r->server_cpu_s));
    fprintf(t, "  own CPU s         %12.2f\n", r->own_cpu_s);
    if (r->first_error[0] != '\0')
        fprintf(t, "  first error: %s\n", r->first_error);
}
