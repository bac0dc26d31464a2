#include "ingest/workload.h"

static const char *const readings[WORKLOAD_READINGS] = {
    "usage_user", "usage_system",  "usage_idle",  "usage_nice",  "usage_iowait",
    "usage_irq",  "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice",
};
enum { FULL = 1000000, LARGEST_STEP = 20000 }; /* 100 and 2 per cent, in 1/10000 */

unsigned workload_hosts_per_stream(const struct workload *load)
{
    return load->shape == WORKLOAD_MULTI ? 1 : (load->batch + WORKLOAD_READINGS - 1) / WORKLOAD_READINGS;
}

unsigned workload_least_streams(const struct workload *load)
{
    unsigned each = workload_hosts_per_stream(load);
    return (WORKLOAD_HOSTS + each - 1) / each;
}

int64_t workload_span_ms(const struct workload *load)
{
    return load->shape == WORKLOAD_MULTI ? load->batch * load->step_ms : load->step_ms;
}

unsigned workload_values_per_record(const struct workload *load)
{
    return load->shape == WORKLOAD_MULTI ? WORKLOAD_READINGS : 1;
}

static void start_over(const struct workload *load, struct workload_stream *stream)
{
    stream->next_ms = load->first_ms;
    for (unsigned h = 0; h < workload_hosts_per_stream(load); h++)
        for (int r = 0; r < WORKLOAD_READINGS; r++)
            stream->level[h][r] = (int32_t)mr_rng_below(&stream->rng, FULL + 1);
}

int workload_stream_init(const struct workload *load, struct workload_stream *stream, unsigned number)
{
    *stream = (struct workload_stream){.number = number, .rng = {load->seed * 1000003 + number}};
    stream->level = mr_calloc(workload_hosts_per_stream(load), sizeof *stream->level);
    if (stream->level == NULL)
        return MR_ENOMEM;
    start_over(load, stream);
    return MR_OK;
}

void workload_stream_release(struct workload_stream *stream)
{
    mr_free(stream->level);
    stream->level = NULL;
}

static void add_text(struct mr_buf *body, const char *text)
{
    mr_buf_str(body, mr_str_of(text));
}

/* printf would cost more than all the rest of a body. `least` digits at least. */
static void add_number(struct mr_buf *body, uint64_t v, int least)
{
    char digits[20];
    int n = 0;
    for (; v > 0 || n < least; v /= 10)
        digits[sizeof digits - (size_t)++n] = (char)('0' + v % 10);
    mr_buf_add(body, digits + sizeof digits - n, (size_t)n);
}

/* One step of the walk, held between 0 and 100, as "57.3187". */
static void add_value(struct mr_buf *body, struct mr_rng *rng, int32_t *level)
{
    int32_t v = *level + (int32_t)mr_rng_below(rng, 2 * LARGEST_STEP + 1) - LARGEST_STEP;
    *level = v < 0 ? -v : v > FULL ? 2 * FULL - v : v;
    add_number(body, (uint64_t)*level / 10000, 1);
    mr_buf_char(body, '.');
    add_number(body, (uint64_t)*level % 10000, 4);
}

static void add_tag(struct mr_buf *body, const char *name, const char *prefix, uint64_t number)
{
    add_text(body, "{\"Name\":\"");
    add_text(body, name);
    add_text(body, "\",\"Value\":\"");
    add_text(body, prefix);
    add_number(body, number, 1);
    add_text(body, "\"},");
}

/* The three tags that tell hosts apart, and the seven that the hosts of a stream share. Both end in a comma.
 */
static void add_host_tags(struct mr_buf *body, uint64_t host)
{
    add_tag(body, "hostname", "host_", host);
    add_tag(body, "region", "region-", host % 9);
    add_tag(body, "datacenter", "region-dc-", host % 27);
}

static void add_shared_tags(struct mr_buf *body, unsigned stream)
{
    add_tag(body, "rack", "", stream % 100);
    add_tag(body, "os", "Debian", 10 + stream % 3);
    add_tag(body, "arch", "x", 64 + 22 * (stream % 2));
    add_tag(body, "team", "team-", stream % 4);
    add_tag(body, "service", "", stream % 20);
    add_tag(body, "service_version", "", stream % 2);
    add_tag(body, "service_environment", "stage-", stream % 3);
}

static void add_time(struct mr_buf *body, int64_t ms)
{
    add_text(body, "\"Time\":\"");
    add_number(body, (uint64_t)ms, 1);
    add_text(body, "\"},");
}

static void add_multi(struct mr_buf *body, struct workload_stream *stream, int64_t ms)
{
    add_text(body, "{\"MeasureValues\":[");
    for (int r = 0; r < WORKLOAD_READINGS; r++) {
        add_text(body, "{\"Name\":\"");
        add_text(body, readings[r]);
        add_text(body, "\",\"Value\":\"");
        add_value(body, &stream->rng, &stream->level[0][r]);
        add_text(body, "\",\"Type\":\"DOUBLE\"},");
    }
    body->len--; /* the last comma */
    add_text(body, "],");
    add_time(body, ms);
}

static void add_single(struct mr_buf *body, struct workload_stream *stream, unsigned i, uint64_t host,
                       int64_t ms)
{
    int r = (int)(i % WORKLOAD_READINGS);
    add_text(body, "{\"Dimensions\":[");
    add_host_tags(body, host);
    body->len--;
    add_text(body, "],\"MeasureName\":\"");
    add_text(body, readings[r]);
    add_text(body, "\",\"MeasureValue\":\"");
    add_value(body, &stream->rng, &stream->level[i / WORKLOAD_READINGS][r]);
    add_text(body, "\",\"MeasureValueType\":\"DOUBLE\",");
    add_time(body, ms);
}

int workload_next(const struct workload *load, struct workload_stream *stream, struct mr_buf *body)
{
    bool multi = load->shape == WORKLOAD_MULTI;
    int64_t span = workload_span_ms(load);
    if (stream->next_ms + span > load->last_ms) {
        stream->replaced++;
        start_over(load, stream);
    }
    unsigned each = workload_hosts_per_stream(load);
    uint64_t first_host = ((uint64_t)stream->replaced * load->streams + stream->number) * each;
    body->len = 0;
    if (mr_buf_reserve(body, 1 << 16) == NULL)
        return MR_ENOMEM;
    add_text(body, "{\"DatabaseName\":\"");
    add_text(body, load->database);
    add_text(body, "\",\"TableName\":\"");
    add_text(body, load->table);
    add_text(body, "\",\"CommonAttributes\":{\"Dimensions\":[");
    if (multi)
        add_host_tags(body, first_host);
    add_shared_tags(body, stream->number);
    body->len--;
    add_text(body, multi ? "],\"MeasureName\":\"cpu\",\"MeasureValueType\":\"MULTI\"},\"Records\":["
                         : "]},\"Records\":[");
    for (unsigned i = 0; i < load->batch; i++) {
        if (multi)
            add_multi(body, stream, stream->next_ms + i * load->step_ms);
        else
            add_single(body, stream, i, first_host + i / WORKLOAD_READINGS, stream->next_ms);
    }
    body->len--;
    add_text(body, "]}");
    stream->next_ms += span;
    return mr_buf_ok(body) ? MR_OK : MR_ENOMEM;
}
