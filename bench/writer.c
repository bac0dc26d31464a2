/* mr_bench_writer: what libmillrace's batching writer takes from a program, by its public header alone.
 *
 *   mr_bench_writer SECONDS SENDERS [PID]
 *
 * The records are those of mr_bench_ingest's shape "single": ten hosts with ten tags, ten readings each, one
 * time a batch. Endpoint and keys come from the environment. PID is the server, for its processor time. One
 * line of JSON goes to standard output.
 */
#include <millrace.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TAGS 10
#define HOSTS 10
#define READINGS 10
#define DATABASE "bench_writer"
#define TABLE "single"

static struct mr_fault fault = MR_FAULT_INIT;

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* User and system time of a process; 0 when there is none. */
static double cpu_of(const char *pid)
{
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", pid != NULL ? pid : "");
    FILE *file = pid != NULL ? fopen(path, "r") : NULL;
    if (file == NULL)
        return 0;
    const char *at = fgets(line, sizeof line, file) != NULL ? strrchr(line, ')') : NULL;
    if (at != NULL &&
        sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        user = system = 0;
    fclose(file);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static int failed(void)
{
    fprintf(stderr, "%s: %s\n", fault.code, fault.message);
    return 1;
}

static int prepare(struct mr_client *client)
{
    struct mr_text database = mr_text(DATABASE), table = mr_text(TABLE);
    struct mr_create_table_request create = {.database_name = database, .table_name = table};
    if (mr_create_database(client, &(struct mr_create_database_request){.database_name = database}, NULL,
                           &fault) != 0 &&
        strcmp(fault.code, "ConflictException") != 0)
        return failed();
    if (mr_create_table(client, &create, NULL, &fault) != 0 && strcmp(fault.code, "ConflictException") != 0)
        return failed();
    return 0;
}

/* All records of one time: what a batch holds. */
static int append_step(struct mr_writer *writer, int64_t group, int64_t ms)
{
    static const char *const names[TAGS] = {
        "hostname", "region",          "datacenter",         "rack", "os", "arch", "team",
        "service",  "service_version", "service_environment"};
    static const char *const shared[TAGS] = {NULL,  NULL,     NULL, "7", "Debian12",
                                             "x86", "team-2", "11", "1", "stage-0"};
    static const char *const readings[READINGS] = {
        "usage_user", "usage_system",  "usage_idle",  "usage_nice",  "usage_iowait",
        "usage_irq",  "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"};
    static uint64_t state = 88172645463325252u;
    for (int64_t h = group * HOSTS; h < (group + 1) * HOSTS; h++) {
        char own[3][32], at[MR_NUMBER_TEXT], value[MR_NUMBER_TEXT];
        struct mr_dimension tags[TAGS];
        snprintf(own[0], sizeof own[0], "host_%" PRId64, h);
        snprintf(own[1], sizeof own[1], "region-%" PRId64, h % 9);
        snprintf(own[2], sizeof own[2], "region-dc-%" PRId64, h % 27);
        for (int i = 0; i < TAGS; i++)
            tags[i] = (struct mr_dimension){.name = mr_text(names[i]),
                                            .value = mr_text(i < 3 ? own[i] : shared[i])};
        struct mr_record record = {.dimensions = MR_LIST(tags),
                                   .measure_value_type = MR_MEASURE_VALUE_TYPE_DOUBLE,
                                   .time = mr_text_of_int(ms, at)};
        for (int i = 0; i < READINGS; i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            record.measure_name = mr_text(readings[i]);
            record.measure_value = mr_text_of_double((double)(state % 1000000) / 10000, value);
            if (mr_writer_append(writer, &record, &fault) != 0)
                return failed();
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct mr_client *client = NULL;
    struct mr_writer *writer = NULL;
    struct mr_writer_options options = MR_WRITER_OPTIONS_INIT;
    struct mr_writer_stats stats;
    if (argc < 3)
        return fputs("usage: mr_bench_writer SECONDS SENDERS [PID]\n", stderr), 2;
    options.database = DATABASE;
    options.table = TABLE;
    options.senders = atoi(argv[2]);
    if (mr_client_open(NULL, &client, &fault) != 0 || prepare(client) != 0 ||
        mr_writer_open(client, &options, &writer, &fault) != 0)
        return failed();
    const char *pid = argc > 3 ? argv[3] : NULL;
    double from = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID),
           server = cpu_of(pid);
    int64_t first = ((int64_t)time(NULL) - 7200) * 1000, steps = 0;
    while (seconds_of(CLOCK_MONOTONIC) - from < atof(argv[1])) {
        if (append_step(writer, steps % 10, first + steps / 10 * 100) != 0)
            return 1;
        steps++;
    }
    if (mr_writer_flush(writer, -1, &fault) != 0)
        return failed();
    double wall = seconds_of(CLOCK_MONOTONIC) - from, own = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    mr_writer_stats(writer, &stats);
    printf("{\"records\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"requests\":%" PRIu64
           ",\"records_per_s\":%.0f,"
           "\"records_per_own_cpu_s\":%.0f,\"own_cpu_s\":%.2f,\"server_cpu_s\":%.2f}\n",
           stats.written, stats.rejected, stats.requests, (double)stats.written / wall,
           (double)stats.written / own, own, cpu_of(pid) - server);
    mr_writer_close(writer, -1, NULL);
    mr_client_close(client);
    mr_fault_clear(&fault);
    return stats.rejected > 0;
}
