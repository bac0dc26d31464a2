/* The JSON of Query's answer (query-api reference 4.4, 7, 9). Rows are spliced in as the engine wrote them.
 */
#include "query/run.h"

#include "json/write.h"

#include <inttypes.h>

void query_columns(const struct sql_plan *plan, struct mr_buf *out)
{
    mr_buf_char(out, '[');
    for (size_t i = 0; i < plan->noutputs; i++) {
        if (i != 0)
            mr_buf_char(out, ',');
        engine_column_info(plan->outputs[i].name, plan->outputs[i].type, out);
    }
    mr_buf_char(out, ']');
}

static const struct sql_type varchar_type = {.kind = SQL_VARCHAR};

static void show_columns(const struct sql_plan *plan, struct mr_buf *out)
{
    static const struct sql_field dimension[] = {{MR_STR("dimension_name"), &varchar_type},
                                                 {MR_STR("data_type"), &varchar_type}};
    static const struct sql_type dimension_row = {.kind = SQL_ROW, .fields = dimension, .nfields = 2};
    static const struct sql_type dimensions = {.kind = SQL_ARRAY, .elem = &dimension_row};
    static const struct sql_output databases[] = {{.name = MR_STR("Database"), .type = &varchar_type}};
    static const struct sql_output tables[] = {{.name = MR_STR("Table"), .type = &varchar_type}};
    static const struct sql_output measures[] = {{.name = MR_STR("measure_name"), .type = &varchar_type},
                                                 {.name = MR_STR("data_type"), .type = &varchar_type},
                                                 {.name = MR_STR("dimensions"), .type = &dimensions}};
    static const struct sql_output columns[] = {
        {.name = MR_STR("Column"), .type = &varchar_type},
        {.name = MR_STR("Type"), .type = &varchar_type},
        {.name = MR_STR("Timestream attribute type"), .type = &varchar_type}};
    static const struct sql_output explain[] = {{.name = MR_STR("Plan"), .type = &varchar_type}};
    struct sql_plan shown = *plan;
    switch (plan->statement) {
    case SQL_SHOW_DATABASES:
        shown.outputs = databases, shown.noutputs = 1;
        break;
    case SQL_SHOW_TABLES:
        shown.outputs = tables, shown.noutputs = 1;
        break;
    case SQL_SHOW_MEASURES:
        shown.outputs = measures, shown.noutputs = 3;
        break;
    case SQL_DESCRIBE:
        shown.outputs = columns, shown.noutputs = 3;
        break;
    default:
        shown.outputs = explain, shown.noutputs = 1;
        break;
    }
    query_columns(&shown, out);
}

/* Nothing is metered: under COMPUTE_UNITS pricing, the only one this server knows, there is no minimum (4.4).
 */
static void status_member(const struct query_run *run, struct mr_buf *out)
{
    mr_buf_str(out, MR_STR(",\"QueryStatus\":{\"ProgressPercentage\":"));
    json_write_java_double(out, run->use_fixed ? 100.0 : run->progress.percent);
    mr_buf_printf(out, ",\"CumulativeBytesScanned\":%" PRIu64 ",\"CumulativeBytesMetered\":0}",
                  run->progress.bytes_scanned);
}

static void table_arn(const struct query_caller *caller, const struct sql_scan *scan, struct mr_buf *out)
{
    mr_buf_printf(out,
                  "\"TableArn\":\"arn:%s:timestream:" MR_STR_FMT ":%s:database/" MR_STR_FMT
                  "/table/" MR_STR_FMT "\"",
                  caller->partition, MR_STR_ARG(caller->region), caller->account, MR_STR_ARG(scan->database),
                  MR_STR_ARG(scan->table));
}

/* The share of its series that the scan with the largest share reads. Series stand for the service's
 * partitions. */
static void spatial_member(const struct query_run *run, const struct query_caller *caller, struct mr_buf *out)
{
    const struct engine_progress *p = &run->progress;
    if (!p->has_coverage || p->coverage_scan >= run->plan->nscans)
        return;
    const struct query_table *table = run->plan->scans[p->coverage_scan].handle;
    struct mr_str key = table->info.partition_dimension;
    mr_buf_str(out, MR_STR("\"QuerySpatialCoverage\":{\"Max\":{\"Value\":"));
    json_write_java_double(out, p->coverage);
    mr_buf_char(out, ',');
    table_arn(caller, &run->bound.scans[p->coverage_scan], out);
    mr_buf_str(out, MR_STR(",\"PartitionKey\":["));
    json_write_string(out, key.ptr != NULL ? key : MR_STR("measure_name"));
    mr_buf_str(out, MR_STR("]}},"));
}

/* The widest time range of the scans. */
static void insight_members(const struct query_run *run, const struct query_caller *caller,
                            struct mr_buf *out)
{
    const struct sql_scan *widest = NULL;
    uint64_t range = 0;
    for (size_t i = 0; i < run->bound.nscans; i++) {
        const struct sql_scan *scan = &run->bound.scans[i];
        int64_t to = scan->time_max > run->now_ns ? run->now_ns : scan->time_max;
        int64_t from = scan->time_min < 0 ? 0 : scan->time_min;
        uint64_t span = to > from ? (uint64_t)to - (uint64_t)from : 0;
        if (widest == NULL || span > range) {
            widest = scan;
            range = span;
        }
    }
    mr_buf_str(out, MR_STR(",\"QueryInsightsResponse\":{"));
    spatial_member(run, caller, out);
    if (widest != NULL) {
        mr_buf_printf(out, "\"QueryTemporalRange\":{\"Max\":{\"Value\":%" PRIu64 ",", range);
        table_arn(caller, widest, out);
        mr_buf_str(out, MR_STR("}},"));
    }
    mr_buf_printf(out, "\"QueryTableCount\":%zu,\"OutputRows\":%" PRIu64 ",\"OutputBytes\":%" PRIu64 "}",
                  run->tables_met, run->rows, run->bytes);
}

void query_answer(const struct query_run *run, const struct query_caller *caller, bool with_page,
                  struct mr_str token, struct mr_buf *out)
{
    mr_buf_printf(out, "{\"QueryId\":\"%s\"", run->id);
    if (token.len != 0)
        mr_buf_printf(out, ",\"NextToken\":\"" MR_STR_FMT "\"", MR_STR_ARG(token));
    mr_buf_str(out, MR_STR(",\"Rows\":["));
    if (with_page)
        mr_buf_str(out, mr_buf_view(&run->page.rows));
    mr_buf_str(out, MR_STR("],\"ColumnInfo\":"));
    if (run->plan->statement == SQL_SELECT)
        mr_buf_str(out, run->columns);
    else
        show_columns(run->plan, out);
    status_member(run, out);
    if (run->insights)
        insight_members(run, caller, out);
    mr_buf_char(out, '}');
}
