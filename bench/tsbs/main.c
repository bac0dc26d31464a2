/* mr_bench_tsbs - makes the data set of bench/tsbs: as text for other systems, or as signed WriteRecords.
 *
 * csv and line go to stdout. multi and single are sent to a server by one thread a connection, each with its
 * own hosts, in order of time; one line of JSON says how long that took. Without an endpoint the bodies go to
 * stdout, one a line.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ingest/client.h"
#include "ingest/report.h"
#include "tsbs/format.h"

struct options {
    const char *format, *kind, *endpoint, *database, *table, *access_key, *secret, *curve;
    double seed, hosts, steps, start_ms, connections;
    struct data_spec spec;
    enum format_model model;
    struct client_target target;
};

struct sender {
    pthread_t thread;
    const struct options *options;
    unsigned number;
    uint64_t requests;
};

static _Atomic uint64_t sent_records;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "mr_bench_tsbs: %s: %s\n", what, why);
    exit(2);
}

static void send_body(struct client *client, const struct mr_buf *body)
{
    struct mr_error err = MR_ERROR_INIT;
    struct mr_str answer = MR_STR("");
    int http_status = 0;
    if (client_call(client, "WriteRecords", mr_buf_view(body), &http_status, &answer, &err) != MR_OK)
        die("WriteRecords", err.text);
    if (http_status != 200) {
        mr_error_set(&err, MR_EIO, "HTTP %d " MR_STR_FMT, http_status, MR_STR_ARG(answer));
        die("WriteRecords", err.text);
    }
}

static void *send_hosts(void *arg)
{
    struct sender *s = arg;
    const struct options *o = s->options;
    unsigned step = (unsigned)o->connections, n = (o->spec.hosts - s->number + step - 1) / step;
    unsigned covers = format_body_steps(o->model), per_step = o->model == FORMAT_MULTI ? 1 : DATA_READINGS;
    struct client client;
    struct mr_buf body = MR_BUF_INIT;
    struct data_host *hosts = mr_calloc(n, sizeof *hosts);
    if (hosts == NULL)
        die("hosts", "out of memory");
    client_init(&client, &o->target);
    for (unsigned i = 0; i < n; i++)
        data_host_init(&o->spec, &hosts[i], s->number + i * step);
    for (unsigned at = 0; at < o->spec.steps; at += covers) {
        unsigned steps = o->spec.steps - at < covers ? o->spec.steps - at : covers;
        for (unsigned i = 0; i < n; i++) {
            int64_t ms = o->spec.start_ms + (int64_t)at * DATA_STEP_MS;
            if (format_body(&o->spec, o->model, o->database, o->table, &hosts[i], &ms, steps, &body) != MR_OK)
                die("body", "out of memory");
            if (o->endpoint != NULL)
                send_body(&client, &body);
            else
                printf(MR_STR_FMT "\n", MR_STR_ARG(mr_buf_view(&body)));
            s->requests++;
            atomic_fetch_add(&sent_records, steps * per_step);
        }
    }
    mr_free(hosts);
    mr_buf_release(&body);
    client_release(&client);
    return NULL;
}

struct curve {
    FILE *out;
    atomic_bool stop;
    int64_t begin;
};

/* Once a second: time since the begin, records so far. */
static void *draw(void *arg)
{
    struct curve *c = arg;
    for (int second = 1; !atomic_load(&c->stop); second++) {
        int64_t until = c->begin + second * MR_NS_PER_S;
        while (!atomic_load(&c->stop) && mr_clock_mono(&mr_clock_system) < until)
            nanosleep(&(struct timespec){0, 10 * MR_NS_PER_MS}, NULL);
        fprintf(c->out, "%.3f %llu\n", (double)(mr_clock_mono(&mr_clock_system) - c->begin) / 1e9,
                (unsigned long long)atomic_load(&sent_records));
    }
    return NULL;
}

static void send_all(const struct options *o)
{
    unsigned n = (unsigned)o->connections;
    struct sender *senders = mr_calloc(n, sizeof *senders);
    struct curve curve = {.out = o->curve != NULL ? fopen(o->curve, "w") : NULL,
                          .begin = mr_clock_mono(&mr_clock_system)};
    pthread_t drawer;
    uint64_t requests = 0;
    if (senders == NULL || (o->curve != NULL && curve.out == NULL))
        die("start", "out of memory, or the curve cannot be written");
    if (curve.out != NULL && pthread_create(&drawer, NULL, draw, &curve) != 0)
        die("start", "cannot start a thread");
    for (unsigned i = 0; i < n; i++) {
        senders[i] = (struct sender){.options = o, .number = i};
        if (pthread_create(&senders[i].thread, NULL, send_hosts, &senders[i]) != 0)
            die("connections", "cannot start a thread");
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(senders[i].thread, NULL);
        requests += senders[i].requests;
    }
    double seconds = (double)(mr_clock_mono(&mr_clock_system) - curve.begin) / 1e9;
    atomic_store(&curve.stop, true);
    if (curve.out != NULL && (pthread_join(drawer, NULL) != 0 || fclose(curve.out) != 0))
        die("curve", "cannot be written");
    if (o->endpoint != NULL)
        printf("{\"requests\":%llu,\"records\":%llu,\"seconds\":%.6f,\"own_cpu_s\":%.3f}\n",
               (unsigned long long)requests, (unsigned long long)atomic_load(&sent_records), seconds,
               report_cpu_own());
    mr_free(senders);
}

static const char usage[] = "usage: mr_bench_tsbs --format csv|line|multi|single [options]\n"
                            "  --kind whole|two|full  digits of the readings (two)\n"
                            "  --hosts N, --steps N   of the data set, 10 s a step (100, 8640)\n"
                            "  --start-ms MS          time of the first step since the epoch (0)\n"
                            "  --seed N               of the random walks (1)\n"
                            "multi and single:\n"
                            "  --endpoint HOST:PORT   where to send; without it bodies go to stdout\n"
                            "  --database, --table NAME   that exist (tsbs, cpu)\n"
                            "  --connections N        keep-alive connections (1)\n"
                            "  --curve FILE           seconds and records so far, once a second\n"
                            "keys: MILLRACE_ROOT_ACCESS_KEY_ID, MILLRACE_ROOT_SECRET_ACCESS_KEY\n";

static bool set_option(struct options *o, const char *name, const char *value)
{
    const struct {
        const char *name, **text;
        double *number, least, most;
    } known[] = {
        {"format", &o->format, NULL, 0, 0},
        {"kind", &o->kind, NULL, 0, 0},
        {"endpoint", &o->endpoint, NULL, 0, 0},
        {"database", &o->database, NULL, 0, 0},
        {"table", &o->table, NULL, 0, 0},
        {"curve", &o->curve, NULL, 0, 0},
        {"seed", NULL, &o->seed, 0, 1e12},
        {"hosts", NULL, &o->hosts, 1, 1e6},
        {"steps", NULL, &o->steps, 1, 4e9},
        {"start-ms", NULL, &o->start_ms, 0, 9e12},
        {"connections", NULL, &o->connections, 1, 1000},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(known); i++) {
        char *end = "";
        if (strcmp(name, known[i].name) != 0)
            continue;
        if (known[i].text != NULL) {
            *known[i].text = value;
            return true;
        }
        *known[i].number = strtod(value, &end);
        return *end == '\0' && *known[i].number >= known[i].least && *known[i].number <= known[i].most;
    }
    return false;
}

static void parse(struct options *o, int argc, char **argv)
{
    static const char *const kinds[] = {[DATA_WHOLE] = "whole", [DATA_TWO] = "two", [DATA_FULL] = "full"};
    size_t kind = 0;
    for (int i = 1; i < argc; i += 2)
        if (i + 1 == argc || strncmp(argv[i], "--", 2) != 0 || !set_option(o, argv[i] + 2, argv[i + 1]))
            die(argv[i], usage);
    while (kind < MR_ARRAY_LEN(kinds) && strcmp(o->kind, kinds[kind]) != 0)
        kind++;
    if (kind == MR_ARRAY_LEN(kinds) || o->format == NULL)
        die("format or kind", usage);
    o->spec = (struct data_spec){.kind = (enum data_kind)kind,
                                 .seed = (uint64_t)o->seed,
                                 .hosts = (unsigned)o->hosts,
                                 .steps = (unsigned)o->steps,
                                 .start_ms = (int64_t)o->start_ms};
    if (o->connections > o->hosts)
        die("connections", "there are fewer hosts");
    if (o->endpoint == NULL)
        o->connections = 1;
}

int main(int argc, char **argv)
{
    struct options o = {.kind = "two",
                        .database = "tsbs",
                        .table = "cpu",
                        .access_key = getenv("MILLRACE_ROOT_ACCESS_KEY_ID"),
                        .secret = getenv("MILLRACE_ROOT_SECRET_ACCESS_KEY"),
                        .seed = 1,
                        .hosts = 100,
                        .steps = 8640,
                        .connections = 1};
    struct mr_error err = MR_ERROR_INIT;
    parse(&o, argc, argv);
    int status = MR_OK;
    if (strcmp(o.format, "csv") == 0 || strcmp(o.format, "line") == 0) {
        status = (o.format[0] == 'c' ? format_csv : format_line)(&o.spec, stdout);
    } else if (strcmp(o.format, "multi") == 0 || strcmp(o.format, "single") == 0) {
        o.model = o.format[0] == 'm' ? FORMAT_MULTI : FORMAT_SINGLE;
        if (o.endpoint != NULL && (o.access_key == NULL || o.secret == NULL))
            die("keys", usage);
        if (o.endpoint != NULL && client_resolve(&o.target, o.endpoint, &err) != MR_OK)
            die("endpoint", err.text);
        if (o.endpoint != NULL)
            o.target.cred = (struct auth_credentials){.access_key_id = mr_str_of(o.access_key),
                                                      .secret = mr_str_of(o.secret),
                                                      .region = MR_STR("us-east-1"),
                                                      .service = MR_STR("timestream")};
        send_all(&o);
    } else {
        die("format", usage);
    }
    if (status != MR_OK || fflush(stdout) != 0)
        die("stdout", "cannot write everything");
    return 0;
}
