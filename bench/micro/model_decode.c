/* bench/micro/model_decode.c - what decoding a WriteRecords body costs, per record: the hot path of
 * ingestion.
 *
 * Prints one line for each kind of body. Arguments: none. Runs a second or so for each.
 */
#include <stdio.h>
#include <time.h>

#include "json/json.h"
#include "model/model.h"

#define RECORDS 100

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void common(struct mr_buf *b)
{
    mr_buf_printf(
        b, "{\"DatabaseName\":\"plant\",\"TableName\":\"machines\",\"CommonAttributes\":{\"Dimensions\":["
           "{\"Name\":\"hall\",\"Value\":\"north\"},{\"Name\":\"press\",\"Value\":\"press-17\"}]},"
           "\"Records\":[");
}

static void short_record(struct mr_buf *b, int i)
{
    mr_buf_printf(
        b,
        "{\"MeasureName\":\"oil_pressure\",\"MeasureValue\":\"%d.25\",\"MeasureValueType\":\"DOUBLE\","
        "\"Time\":\"16900000%05d\",\"Version\":1}",
        i, i);
}

static void full_record(struct mr_buf *b, int i)
{
    mr_buf_printf(b,
                  "{\"Dimensions\":[{\"Name\":\"hall\",\"Value\":\"north\"},{\"Name\":\"press\",\"Value\":"
                  "\"press-%d\"},"
                  "{\"Name\":\"line\",\"Value\":\"seven\"}],\"MeasureName\":\"oil_pressure\","
                  "\"MeasureValue\":\"%d.25\","
                  "\"MeasureValueType\":\"DOUBLE\",\"Time\":\"16900000%05d\",\"TimeUnit\":\"MILLISECONDS\"}",
                  i, i, i);
}

static void multi_record(struct mr_buf *b, int i)
{
    mr_buf_printf(b,
                  "{\"MeasureName\":\"summary\",\"MeasureValueType\":\"MULTI\",\"Time\":\"16900000%05d\","
                  "\"MeasureValues\":[",
                  i);
    for (int k = 0; k < 8; k++)
        mr_buf_printf(b, "%s{\"Name\":\"sensor_%d\",\"Value\":\"%d.5\",\"Type\":\"DOUBLE\"}",
                      k != 0 ? "," : "", k, i + k);
    mr_buf_printf(b, "]}");
}

static int run(const char *name, void (*record)(struct mr_buf *, int))
{
    struct mr_buf body = MR_BUF_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    common(&body);
    for (int i = 0; i < RECORDS; i++) {
        if (i != 0)
            mr_buf_char(&body, ',');
        record(&body, i);
    }
    mr_buf_printf(&body, "]}");
    double best_parse = 1e9, best = 1e9;
    for (int round = 0; round < 20; round++) {
        const int times = 500;
        struct json_doc doc;
        double start = now();
        for (int i = 0; i < times; i++) {
            if (json_parse(mr_buf_view(&body), &arena, &doc, NULL) != MR_OK)
                return 1;
            mr_arena_reset(&arena);
        }
        double middle = now();
        for (int i = 0; i < times; i++) {
            void *out;
            struct model_fault fault = {0};
            if (model_decode(&model_shape_write_records_request, mr_buf_view(&body), &arena, &out, &fault) !=
                MR_OK)
                return 1;
            mr_arena_reset(&arena);
        }
        double end = now();
        best_parse = (middle - start) / times < best_parse ? (middle - start) / times : best_parse;
        best = (end - middle) / times < best ? (end - middle) / times : best;
    }
    printf("%-8s %6zu bytes a body, %4zu a record: %6.1f ns a record, of which parsing %6.1f\n", name,
           body.len, body.len / RECORDS, best / RECORDS * 1e9, best_parse / RECORDS * 1e9);
    mr_arena_release(&arena);
    mr_buf_release(&body);
    return 0;
}

int main(void)
{
    return run("short", short_record) != 0 || run("full", full_record) != 0 ||
           run("multi", multi_record) != 0;
}
