/* mr_bench_ingest - writes records to a server as fast as its connections allow, and reports what that took.
 *
 * One thread per connection, each with its own streams of the workload, sends a signed WriteRecords, waits
 * for the answer, and goes on. See bench/README.md for the meaning of the numbers.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ingest/client.h"
#include "ingest/report.h"
#include "ingest/workload.h"

struct options {
    const char *endpoint, *access_key, *secret, *region, *shape;
    double pid, requests; /* 0: not given */
    double connections, seconds, batch, hours, step_ms, seed, settle_s;
    double rate; /* requests a second of all connections together; 0: as fast as the answers come */
    struct workload load;
};

struct run {
    const struct options *options;
    struct client_target target;
    int64_t deadline_ns;     /* monotonic */
    _Atomic int64_t tickets; /* requests left to start */
    int64_t begin_ns;
    _Atomic int64_t slots; /* of the rate: given out */
};

struct worker {
    pthread_t thread;
    struct run *run;
    unsigned number;
    struct report_latencies latencies;
    uint64_t requests, errors, body_bytes, hosts;
    struct mr_error error; /* the first one */
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "mr_bench_ingest: %s: %s\n", what, why);
    exit(2);
}

static int64_t now(void)
{
    return mr_clock_mono(&mr_clock_system);
}

static bool may_start(struct run *run)
{
    return run->options->requests > 0 ? atomic_fetch_sub(&run->tickets, 1) > 0 : now() < run->deadline_ns;
}

/* Waits for the next slot of the rate; a slot that was missed is not waited for. */
static void keep_rate(struct run *run)
{
    if (run->options->rate <= 0)
        return;
    int64_t slot =
        run->begin_ns + (int64_t)((double)atomic_fetch_add(&run->slots, 1) * 1e9 / run->options->rate);
    struct timespec until = {slot / MR_NS_PER_S, slot % MR_NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

/* One request of the stream, timed from before it is signed: that is the client's work too, but it is what a
 * caller of an SDK waits for. */
static void write_once(struct worker *w, struct client *client, struct workload_stream *stream,
                       struct mr_buf *body)
{
    struct mr_error err = MR_ERROR_INIT;
    struct mr_str answer = MR_STR("");
    int http_status = 0;
    if (workload_next(&w->run->options->load, stream, body) != MR_OK)
        die("body", "out of memory");
    int64_t begin = now();
    int status = client_call(client, "WriteRecords", mr_buf_view(body), &http_status, &answer, &err);
    int64_t took = now() - begin;
    w->body_bytes += body->len;
    if (status == MR_OK && http_status != 200)
        mr_error_set(&err, MR_EIO, "HTTP %d " MR_STR_FMT, http_status, MR_STR_ARG(answer));
    if (err.status != MR_OK) {
        w->errors++;
        mr_error_set(&w->error, err.status, "%s", err.text);
        return;
    }
    struct report_latencies *l = &w->latencies;
    if (mr_grow((void **)&l->us, &l->cap, l->n + 1, sizeof l->us[0]) != MR_OK)
        die("latencies", "out of memory");
    l->us[l->n++] = (uint32_t)(took / MR_NS_PER_US);
    w->requests++;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    const struct workload *load = &w->run->options->load;
    unsigned step = (unsigned)w->run->options->connections, n = (load->streams - w->number + step - 1) / step;
    struct workload_stream *streams = mr_calloc(n, sizeof *streams);
    struct client client;
    struct mr_buf body = MR_BUF_INIT;
    MR_ASSERT(n > 0); /* there are at least as many streams as connections */
    client_init(&client, &w->run->target);
    for (unsigned i = 0; i < n; i++)
        if (streams == NULL || workload_stream_init(load, &streams[i], w->number + i * step) != MR_OK)
            die("streams", "out of memory");
    for (unsigned i = 0; may_start(w->run); i = (i + 1) % n) {
        keep_rate(w->run);
        write_once(w, &client, &streams[i], &body);
    }
    for (unsigned i = 0; i < n; i++) {
        w->hosts += (uint64_t)(streams[i].replaced + 1) * workload_hosts_per_stream(load);
        workload_stream_release(&streams[i]);
    }
    mr_free(streams);
    mr_buf_release(&body);
    client_release(&client);
    return NULL;
}

/* A set-up call; something that exists already is what was wanted. */
static void ensure(struct client *client, const char *operation, struct mr_buf *body)
{
    struct mr_error err = MR_ERROR_INIT;
    struct mr_str answer = MR_STR("");
    int http_status = 0;
    if (client_call(client, operation, mr_buf_view(body), &http_status, &answer, &err) != MR_OK)
        die(operation, err.text);
    if (http_status != 200 && memmem(answer.ptr, answer.len, "ConflictException", 17) == NULL) {
        mr_error_set(&err, MR_EIO, "HTTP %d " MR_STR_FMT, http_status, MR_STR_ARG(answer));
        die(operation, err.text);
    }
    body->len = 0;
}

static void create_table(const struct run *run)
{
    const struct workload *load = &run->options->load;
    struct client client;
    struct mr_buf body = MR_BUF_INIT;
    client_init(&client, &run->target);
    mr_buf_printf(&body, "{\"DatabaseName\":\"%s\"}", load->database);
    ensure(&client, "CreateDatabase", &body);
    mr_buf_printf(&body,
                  "{\"DatabaseName\":\"%s\",\"TableName\":\"%s\",\"RetentionProperties\":"
                  "{\"MemoryStoreRetentionPeriodInHours\":%u,\"MagneticStoreRetentionPeriodInDays\":3650}}",
                  load->database, load->table, (unsigned)run->options->hours + 24);
    ensure(&client, "CreateTable", &body);
    mr_buf_release(&body);
    client_release(&client);
}

/* Starts the connections, waits for all of them, and adds up what they saw. */
static void measure(struct run *run, struct report *report, struct report_latencies *all)
{
    const struct options *o = run->options;
    unsigned n = (unsigned)o->connections;
    struct worker *workers = mr_calloc(n, sizeof *workers);
    if (workers == NULL)
        die("connections", "out of memory");
    double server_before = o->pid > 0 ? report_cpu_of((long)o->pid) : -1, own_before = report_cpu_own();
    int64_t begin = now();
    run->begin_ns = begin;
    run->deadline_ns = begin + (int64_t)(o->seconds * 1e9);
    atomic_store(&run->tickets, (int64_t)o->requests);
    for (unsigned i = 0; i < n; i++) {
        workers[i].run = run;
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            die("connections", "cannot start a thread");
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    report->seconds = (double)(now() - begin) / 1e9;
    report->own_cpu_s = report_cpu_own() - own_before;
    if (o->settle_s > 0)
        sleep((unsigned)o->settle_s);
    double server_after = server_before >= 0 ? report_cpu_of((long)o->pid) : -1;
    report->server_cpu_s = server_after >= 0 ? server_after - server_before : -1;
    for (unsigned i = 0; i < n; i++) {
        struct worker *w = &workers[i];
        if (mr_grow((void **)&all->us, &all->cap, all->n + w->latencies.n, sizeof all->us[0]) != MR_OK)
            die("latencies", "out of memory");
        if (w->latencies.n > 0)
            memcpy(all->us + all->n, w->latencies.us, w->latencies.n * sizeof all->us[0]);
        all->n += w->latencies.n;
        mr_free(w->latencies.us);
        report->requests += w->requests;
        report->errors += w->errors;
        report->body_bytes += w->body_bytes;
        report->hosts += w->hosts;
        if (w->error.status != MR_OK && report->first_error[0] == '\0')
            snprintf(report->first_error, sizeof report->first_error, "%s", w->error.text);
    }
    mr_free(workers);
}

static const char usage[] =
    "usage: mr_bench_ingest --endpoint HOST:PORT [options]\n"
    "  --pid N             process of the server, for its CPU time\n"
    "  --connections N     keep-alive connections, one thread each (4)\n"
    "  --seconds S         how long to start requests (10), or\n"
    "  --requests N        how many to send\n"
    "  --rate N            requests a second of all connections together (as fast as answers come)\n"
    "  --shape single|multi  100 one-value records of ten hosts, or 100 ten-value records of one host "
    "(multi)\n"
    "  --batch N           records a request, 1 to 100 (100)\n"
    "  --hours N           age of the oldest record (6)\n"
    "  --step-ms N         between readings of a host (10000)\n"
    "  --seed N            of the random walks (1)\n"
    "  --settle S          wait before the server's CPU time is read the second time (0)\n"
    "  --database, --table NAME   created when missing (bench, cpu_<shape>)\n"
    "  --region NAME       of the signature (us-east-1)\n"
    "  --access-key, --secret     else MILLRACE_ROOT_ACCESS_KEY_ID, MILLRACE_ROOT_SECRET_ACCESS_KEY\n";

/* Every option takes a value: a text, or a number within bounds. */
static bool set_option(struct options *o, const char *name, const char *value)
{
    const struct {
        const char *name, **text;
        double *number, least, most;
    } known[] = {
        {"endpoint", &o->endpoint, NULL, 0, 0},
        {"access-key", &o->access_key, NULL, 0, 0},
        {"secret", &o->secret, NULL, 0, 0},
        {"region", &o->region, NULL, 0, 0},
        {"database", &o->load.database, NULL, 0, 0},
        {"table", &o->load.table, NULL, 0, 0},
        {"shape", &o->shape, NULL, 0, 0},
        {"pid", NULL, &o->pid, 1, 1 << 30},
        {"connections", NULL, &o->connections, 1, 1000},
        {"seconds", NULL, &o->seconds, 0.1, 1e6},
        {"requests", NULL, &o->requests, 1, 1e12},
        {"rate", NULL, &o->rate, 0.1, 1e6},
        {"batch", NULL, &o->batch, 1, 100},
        {"hours", NULL, &o->hours, 1, 8000},
        {"step-ms", NULL, &o->step_ms, 1, 3.6e6},
        {"seed", NULL, &o->seed, 0, 1e15},
        {"settle", NULL, &o->settle_s, 0, 3600},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(known); i++) {
        char *end = "";
        if (strcmp(name, known[i].name) != 0)
            continue;
        if (known[i].text != NULL)
            *known[i].text = value;
        else
            *known[i].number = strtod(value, &end);
        return *end == '\0' && (known[i].text != NULL ||
                                (*known[i].number >= known[i].least && *known[i].number <= known[i].most));
    }
    return false;
}

static void parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || strncmp(argv[i], "--", 2) != 0 || !set_option(o, argv[i] + 2, argv[i + 1]))
            die(argv[i], usage);
    bool single = strcmp(o->shape, "single") == 0;
    if (o->endpoint == NULL || o->access_key == NULL || o->secret == NULL ||
        (!single && strcmp(o->shape, "multi") != 0))
        die("endpoint, keys or shape", usage);
    struct workload *load = &o->load;
    load->shape = single ? WORKLOAD_SINGLE : WORKLOAD_MULTI;
    load->batch = (unsigned)o->batch;
    load->step_ms = (int64_t)o->step_ms;
    load->seed = (uint64_t)o->seed;
    if (load->table == NULL)
        load->table = single ? "cpu_single" : "cpu_multi";
    unsigned least = workload_least_streams(load);
    load->streams = o->connections > least ? (unsigned)o->connections : least;
    load->last_ms = mr_clock_wall(&mr_clock_system) / MR_NS_PER_MS;
    load->first_ms = load->last_ms - (int64_t)(o->hours * 3.6e6);
    if (workload_span_ms(load) > load->last_ms - load->first_ms)
        die("hours", "too few for one request of this batch and step");
}

int main(int argc, char **argv)
{
    struct options o = {
        .access_key = getenv("MILLRACE_ROOT_ACCESS_KEY_ID"),
        .secret = getenv("MILLRACE_ROOT_SECRET_ACCESS_KEY"),
        .region = "us-east-1",
        .shape = "multi",
        .connections = 4,
        .seconds = 10,
        .batch = 100,
        .hours = 6,
        .step_ms = 10000,
        .seed = 1,
        .load.database = "bench",
    };
    parse(&o, argc, argv);
    struct run run = {.options = &o,
                      .target.cred = {.access_key_id = mr_str_of(o.access_key),
                                      .secret = mr_str_of(o.secret),
                                      .region = mr_str_of(o.region),
                                      .service = MR_STR("timestream")}};
    struct mr_error err = MR_ERROR_INIT;
    if (client_resolve(&run.target, o.endpoint, &err) != MR_OK)
        die("endpoint", err.text);
    create_table(&run);
    struct report report = {.shape = o.shape,
                            .connections = (unsigned)o.connections,
                            .batch = o.load.batch,
                            .values_per_record = workload_values_per_record(&o.load)};
    struct report_latencies all = {0};
    measure(&run, &report, &all);
    report_print(&report, &all);
    mr_free(all.us);
    return report.errors > 0 || report.requests == 0 ? 1 : 0;
}
