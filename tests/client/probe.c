/* What the Python suites drive: the installed library's public API and nothing else.
 *
 *   call             ListDatabases once; prints error, code, status, attempts, request id, message
 *   calls N THREADS  N calls from each thread; prints how many failed
 *   everything       a walk through both APIs against a server; prints "ok", or the step that failed
 *   moto             the operations that moto's server has, likewise
 *   presign          a presigned URL of ListDatabases(MaxResults=5)
 *   write N [SPOOL]  N records through a writer; prints what became of them
 *   query SQL        rows, tab-separated
 *   soak SECONDS     everything a program does, again and again; prints bytes allocated after a quarter and
 *                    at the end
 */
#include <millrace.h>

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct mr_client *client;
static struct mr_fault fault = MR_FAULT_INIT;

#define STEP(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("line %d: %s: %s %s %s\n", __LINE__, #condition, mr_err_name(fault.error), fault.code,    \
                   fault.message);                                                                           \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

static void print_fault(void)
{
    printf("%s|%s|%d|%d|%s|%s\n", mr_err_name(fault.error), fault.code, fault.http_status, fault.attempts,
           fault.request_id, fault.message);
}

static int call(void)
{
    struct mr_list_databases_request request = {.max_results = {false, 0}};
    mr_list_databases(client, &request, NULL, &fault);
    print_fault();
    return 0;
}

static int calls_each;

static void *call_often(void *arg)
{
    long *failed = arg;
    for (int i = 0; i < calls_each; i++) {
        struct mr_list_databases_request request = {.max_results = {false, 0}};
        struct mr_list_databases_response *answer;
        struct mr_fault own = MR_FAULT_INIT;
        *failed += mr_list_databases(client, &request, &answer, &own) != 0;
        mr_response_free(answer);
        mr_fault_clear(&own);
    }
    return NULL;
}

static int calls(int n, int threads)
{
    pthread_t id[64];
    long failed[64] = {0}, sum = 0;
    calls_each = n;
    for (int i = 0; i < threads && i < 64; i++)
        if (pthread_create(&id[i], NULL, call_often, &failed[i]) != 0)
            return 1;
    for (int i = 0; i < threads && i < 64; i++) {
        pthread_join(id[i], NULL);
        sum += failed[i];
    }
    printf("%ld failed\n", sum);
    return 0;
}

static int presign(void)
{
    struct mr_list_databases_request request = {.max_results = mr_int(5)};
    char *url;
    if (mr_presign(client, MR_OP_LIST_DATABASES, &request, 900, &url, &fault) != 0) {
        print_fault();
        return 1;
    }
    puts(url);
    mr_response_free(url);
    return 0;
}

/* ---- writer ---- */

static void on_reject(void *arg, const struct mr_record *record, const struct mr_rejection *why)
{
    (void)record;
    if (++*(int *)arg == 1)
        printf("first rejection: %s|%s\n", why->code, why->reason);
}

static int write_many(long n, const char *spool)
{
    int rejected = 0;
    struct mr_writer_options options = MR_WRITER_OPTIONS_INIT;
    struct mr_writer *writer;
    struct mr_writer_stats stats;
    const char *run = getenv("PROBE_RUN") != NULL ? getenv("PROBE_RUN") : "0";
    options.database = "probe_db";
    options.table = "probe_tbl";
    options.on_reject = on_reject;
    options.arg = &rejected;
    options.spool_dir = spool;
    options.spool_mode = MR_SPOOL_ALWAYS;
    STEP(mr_writer_open(client, &options, &writer, &fault) == 0);
    int64_t now = (int64_t)time(NULL) * 1000;
    for (long i = 0; i < n; i++) {
        char value[MR_NUMBER_TEXT], at[MR_NUMBER_TEXT], host[MR_NUMBER_TEXT];
        struct mr_dimension dimensions[] = {{.name = mr_text("site"), .value = mr_text("north")},
                                            {.name = mr_text("run"), .value = mr_text(run)},
                                            {.name = mr_text("host"), .value = mr_text_of_int(i % 10, host)}};
        struct mr_record record = {.dimensions = MR_LIST(dimensions),
                                   .measure_name = mr_text("load"),
                                   .measure_value = mr_text_of_double((double)i / 8, value),
                                   .measure_value_type = MR_MEASURE_VALUE_TYPE_DOUBLE,
                                   .time = mr_text_of_int(now - i, at)};
        STEP(mr_writer_append(writer, &record, &fault) == 0);
        if (spool != NULL && i % 500 == 499) {
            STEP(mr_writer_flush(writer, -1, &fault) == 0);
            printf("safe %ld\n", i + 1);
            fflush(stdout);
        }
    }
    STEP(mr_writer_flush(writer, -1, &fault) == 0);
    do
        mr_writer_stats(writer, &stats);
    while (stats.spool_bytes > 0);
    printf("written %" PRIu64 " rejected %" PRIu64 " recovered %" PRIu64 "\n", stats.written, stats.rejected,
           stats.recovered);
    STEP(mr_writer_close(writer, -1, &fault) == 0);
    return 0;
}

static int query(const char *sql)
{
    struct mr_query_request request = {.query_string = mr_text(sql)};
    struct mr_rows *rows;
    int rc;
    if (mr_rows_open(client, &request, &rows, &fault) != 0) {
        print_fault();
        return 1;
    }
    while ((rc = mr_rows_next(rows, &fault)) == 1)
        for (size_t i = 0; i < mr_rows_width(rows); i++) {
            const struct mr_cell *cell = mr_rows_cell(rows, i);
            printf("%.*s%c", (int)cell->text.len, cell->text.ptr != NULL ? cell->text.ptr : "",
                   i + 1 < mr_rows_width(rows) ? '\t' : '\n');
        }
    mr_rows_close(rows);
    if (rc < 0)
        print_fault();
    return rc < 0;
}

/* One round: a call that works, one that fails, a result, a URL, a writer. */
static int soak_round(void)
{
    struct mr_list_databases_request list = {.max_results = mr_int(5)};
    struct mr_list_databases_response *answer;
    struct mr_query_request ask = {.query_string = mr_text("SELECT x, CAST(x AS varchar), ARRAY[x] FROM "
                                                           "UNNEST(sequence(1, 200)) AS t(x)"),
                                   .max_rows = mr_int(50)};
    struct mr_rows *rows;
    char *url;
    int rc;
    STEP(mr_list_databases(client, &list, &answer, &fault) == 0);
    mr_response_free(answer);
    STEP(mr_delete_database(client, &(struct mr_delete_database_request){mr_text("nowhere")}, &fault) != 0);
    STEP(mr_presign(client, MR_OP_LIST_DATABASES, &list, 60, &url, &fault) == 0);
    mr_response_free(url);
    STEP(mr_rows_open(client, &ask, &rows, &fault) == 0);
    while ((rc = mr_rows_next(rows, &fault)) == 1)
        ;
    mr_rows_close(rows);
    STEP(rc == 0);
    return write_many(300, NULL);
}

static int soak(int seconds)
{
    time_t start = time(NULL);
    size_t early = 0, rounds = 0;
    FILE *out = stdout;
    stdout = fopen("/dev/null", "w"); /* what the rounds print */
    while (time(NULL) - start < seconds || rounds < 20) {
        if (soak_round() != 0)
            return 1;
        if (early == 0 && time(NULL) - start >= seconds / 4 && rounds >= 10)
            early = mallinfo2().uordblks;
        rounds++;
    }
    fclose(stdout);
    stdout = out;
    printf("%zu rounds, %zu bytes, then %zu\n", rounds, early, mallinfo2().uordblks);
    return 0;
}

/* ---- a walk through the APIs ---- */

static int control_plane(void)
{
    struct mr_tag tags[] = {{.key = mr_text("team"), .value = mr_text("press")}};
    struct mr_create_database_response *made;
    struct mr_create_database_request create = {.database_name = mr_text("probe_db"), .tags = MR_LIST(tags)};
    STEP(mr_create_database(client, &create, &made, &fault) == 0);
    STEP(fault.http_status == 200 && fault.request_id[0] != '\0' && fault.attempts == 1);
    STEP(strstr(made->database->arn.ptr, "database/probe_db") != NULL && made->database->table_count.v == 0);
    STEP(mr_create_database(client, &create, NULL, &fault) == MR_ERR_SERVICE);
    STEP(strcmp(fault.code, "ConflictException") == 0 && fault.http_status == 409 && !fault.retryable);

    struct mr_list_tags_for_resource_request list = {.resource_arn = mr_text(made->database->arn.ptr)};
    struct mr_list_tags_for_resource_response *listed;
    STEP(mr_list_tags_for_resource(client, &list, &listed, &fault) == 0 && listed->tags.len == 1);
    STEP(strcmp(listed->tags.at[0].value.ptr, "press") == 0);
    mr_response_free(listed);
    struct mr_text keys[] = {mr_text("team")};
    struct mr_untag_resource_request untag = {.resource_arn = mr_text(made->database->arn.ptr),
                                              .tag_keys = MR_LIST(keys)};
    STEP(mr_untag_resource(client, &untag, &fault) == 0);
    struct mr_tag_resource_request tag = {.resource_arn = mr_text(made->database->arn.ptr),
                                          .tags = MR_LIST(tags)};
    STEP(mr_query_tag_resource(client, &tag, &fault) == 0);
    mr_response_free(made);

    struct mr_retention_properties retention = {mr_int(24), mr_int(7)};
    struct mr_partition_key key[] = {{.type = MR_PARTITION_KEY_TYPE_DIMENSION,
                                      .name = mr_text("host"),
                                      .enforcement_in_record = MR_PARTITION_KEY_ENFORCEMENT_LEVEL_OPTIONAL}};
    struct mr_schema schema = {.composite_partition_key = MR_LIST(key)};
    struct mr_create_table_request table = {.database_name = mr_text("probe_db"),
                                            .table_name = mr_text("probe_tbl"),
                                            .retention_properties = &retention,
                                            .schema = &schema};
    struct mr_create_table_response *tabled;
    STEP(mr_create_table(client, &table, &tabled, &fault) == 0);
    STEP(tabled->table->table_status == MR_TABLE_STATUS_ACTIVE && tabled->table->creation_time.v > 1.6e9);
    STEP(tabled->table->retention_properties->memory_store_retention_period_in_hours.v == 24);
    mr_response_free(tabled);
    struct mr_describe_table_request describe = {mr_text("probe_db"), mr_text("probe_tbl")};
    struct mr_describe_table_response *described;
    STEP(mr_describe_table(client, &describe, &described, &fault) == 0);
    STEP(strcmp(described->table->schema->composite_partition_key.at[0].name.ptr, "host") == 0);
    mr_response_free(described);
    describe.table_name = mr_text("absent");
    STEP(mr_describe_table(client, &describe, &described, &fault) == MR_ERR_SERVICE && described == NULL);
    STEP(strcmp(fault.code, "ResourceNotFoundException") == 0);
    describe.table_name = mr_text("x");
    STEP(mr_describe_table(client, &describe, NULL, &fault) == MR_ERR_SERVICE);
    STEP(strstr(fault.message, "Member must have length greater than or equal to 3") != NULL);
    struct mr_describe_endpoints_response *endpoints;
    STEP(mr_describe_endpoints(client, &endpoints, &fault) == 0 && endpoints->endpoints.len == 1);
    mr_response_free(endpoints);
    STEP(mr_query_describe_endpoints(client, NULL, &fault) == 0);
    return 0;
}

static int data_plane(void)
{
    char now[MR_NUMBER_TEXT];
    int64_t at = (int64_t)time(NULL) * 1000000000 + 123456789;
    struct mr_dimension dimensions[] = {{.name = mr_text("host"), .value = mr_text("h\xc3\xb6\"1")}};
    struct mr_measure_value values[] = {{mr_text("load"), mr_text("0.5"), MR_MEASURE_VALUE_TYPE_DOUBLE},
                                        {mr_text("jobs"), mr_text("-7"), MR_MEASURE_VALUE_TYPE_BIGINT},
                                        {mr_text("up"), mr_text("true"), MR_MEASURE_VALUE_TYPE_BOOLEAN}};
    struct mr_record records[] = {{.measure_name = mr_text("state"), .measure_values = MR_LIST(values)},
                                  {.measure_name = mr_text("state2"), .measure_values = MR_LIST(values)}};
    struct mr_record common = {.dimensions = MR_LIST(dimensions),
                               .time = mr_text_of_int(at, now),
                               .time_unit = MR_TIME_UNIT_NANOSECONDS,
                               .measure_value_type = MR_MEASURE_VALUE_TYPE_MULTI};
    struct mr_write_records_request write = {.database_name = mr_text("probe_db"),
                                             .table_name = mr_text("probe_tbl"),
                                             .common_attributes = &common,
                                             .records = MR_LIST(records)};
    struct mr_write_records_response *written;
    STEP(mr_write_records(client, &write, &written, &fault) == 0 && written->records_ingested->total.v == 2);
    mr_response_free(written);
    values[0].value = mr_text("0.75");
    STEP(mr_write_records(client, &write, NULL, &fault) == MR_ERR_SERVICE && fault.http_status == 419);
    STEP(fault.nrejected == 2 && fault.rejected[1].record_index.v == 1 &&
         !fault.rejected[1].existing_version.set);
    STEP(strstr(fault.rejected[0].reason.ptr, "version") != NULL);

    struct mr_query_request ask = {.query_string =
                                       mr_text("SELECT time, host, load, jobs, up, ARRAY[1, NULL], null, "
                                               "interval '36' hour FROM probe_db.probe_tbl "
                                               "WHERE measure_name = 'state'")};
    struct mr_rows *rows;
    STEP(mr_rows_open(client, &ask, &rows, &fault) == 0 && mr_rows_width(rows) == 8);
    STEP(strcmp(mr_rows_column(rows, 0)->name.ptr, "time") == 0);
    STEP(mr_rows_next(rows, &fault) == 1);
    STEP(mr_rows_cell(rows, 0)->kind == MR_CELL_TIMESTAMP && mr_rows_cell(rows, 0)->v.integer == at);
    STEP(strcmp(mr_rows_cell(rows, 1)->text.ptr, "h\xc3\xb6\"1") == 0);
    STEP(mr_rows_cell(rows, 2)->v.number == 0.5 && mr_rows_cell(rows, 3)->v.integer == -7);
    STEP(mr_rows_cell(rows, 4)->kind == MR_CELL_BOOLEAN && mr_rows_cell(rows, 4)->v.boolean);
    STEP(mr_rows_cell(rows, 5)->v.items.at[0].v.integer == 1 &&
         mr_rows_cell(rows, 5)->v.items.at[1].kind == MR_CELL_NULL);
    STEP(mr_rows_cell(rows, 6)->kind == MR_CELL_NULL);
    STEP(mr_rows_cell(rows, 7)->kind == MR_CELL_INTERVAL &&
         mr_rows_cell(rows, 7)->v.integer == INT64_C(129600000000000));
    STEP(mr_rows_next(rows, &fault) == 0 && mr_rows_query_id(rows)[0] != '\0' &&
         mr_rows_status(rows) != NULL);
    mr_rows_close(rows);

    ask = (struct mr_query_request){
        .query_string = mr_text("SELECT x FROM UNNEST(sequence(1, 1000)) AS t(x)"), .max_rows = mr_int(70)};
    struct mr_paginator *pages;
    const struct mr_query_response *page;
    size_t total = 0;
    STEP(mr_paginator_open(client, MR_OP_QUERY, &ask, &pages, &fault) == 0);
    while ((page = mr_paginator_next(pages, &fault)) != NULL)
        total += page->rows.len;
    mr_paginator_close(pages);
    STEP(fault.error == 0 && total == 1000);
    ask = (struct mr_query_request){.query_string = mr_text("SELEKT 1")};
    STEP(mr_rows_open(client, &ask, &rows, &fault) == MR_ERR_SERVICE && rows == NULL);
    STEP(strcmp(fault.code, "ValidationException") == 0);
    return 0;
}

static int everything(void)
{
    STEP(control_plane() == 0);
    STEP(data_plane() == 0);
    STEP(mr_delete_table(client, &(struct mr_delete_table_request){mr_text("probe_db"), mr_text("probe_tbl")},
                         &fault) == 0);
    STEP(mr_delete_database(client, &(struct mr_delete_database_request){mr_text("probe_db")}, &fault) == 0);
    puts("ok");
    return 0;
}

/* ---- moto's server, an implementation by others ---- */

static int moto_tables(void)
{
    struct mr_text db = mr_text("moto_db"), table = mr_text("moto_tbl");
    struct mr_retention_properties retention = {mr_int(12), mr_int(34)};
    struct mr_create_table_request create = {
        .database_name = db, .table_name = table, .retention_properties = &retention};
    struct mr_create_table_response *created;
    STEP(mr_create_table(client, &create, &created, &fault) == 0);
    STEP(created->table->retention_properties->magnetic_store_retention_period_in_days.v == 34);
    mr_response_free(created);
    retention.memory_store_retention_period_in_hours = mr_int(13);
    struct mr_update_table_request update = {
        .database_name = db, .table_name = table, .retention_properties = &retention};
    STEP(mr_update_table(client, &update, NULL, &fault) == 0);
    struct mr_describe_table_response *described;
    STEP(mr_describe_table(client, &(struct mr_describe_table_request){db, table}, &described, &fault) == 0);
    STEP(described->table->retention_properties->memory_store_retention_period_in_hours.v == 13);
    STEP(strcmp(described->table->table_name.ptr, "moto_tbl") == 0);
    mr_response_free(described);
    struct mr_list_tables_response *listed;
    STEP(mr_list_tables(client, &(struct mr_list_tables_request){.database_name = db}, &listed, &fault) == 0);
    STEP(listed->tables.len == 1);
    mr_response_free(listed);
    struct mr_dimension dimensions[] = {{.name = mr_text("host"), .value = mr_text("h")}};
    struct mr_record records[] = {{.dimensions = MR_LIST(dimensions),
                                   .measure_name = mr_text("m"),
                                   .measure_value = mr_text("1"),
                                   .time = mr_text("1700000000000")}};
    struct mr_write_records_response *written;
    STEP(mr_write_records(client,
                          &(struct mr_write_records_request){
                              .database_name = db, .table_name = table, .records = MR_LIST(records)},
                          &written, &fault) == 0);
    STEP(written->records_ingested->total.v == 1);
    mr_response_free(written);
    STEP(mr_delete_table(client, &(struct mr_delete_table_request){db, table}, &fault) == 0);
    STEP(mr_describe_table(client, &(struct mr_describe_table_request){db, table}, NULL, &fault) ==
         MR_ERR_SERVICE);
    STEP(strcmp(fault.code, "ResourceNotFoundException") == 0);
    return 0;
}

static int moto_tags(struct mr_text arn)
{
    struct mr_tag tags[] = {{.key = mr_text("k"), .value = mr_text("v")}};
    struct mr_text keys[] = {mr_text("k")};
    struct mr_list_tags_for_resource_response *listed;
    STEP(mr_tag_resource(client, &(struct mr_tag_resource_request){arn, MR_LIST(tags)}, &fault) == 0);
    STEP(mr_list_tags_for_resource(client, &(struct mr_list_tags_for_resource_request){.resource_arn = arn},
                                   &listed, &fault) == 0);
    STEP(listed->tags.len == 1 && strcmp(listed->tags.at[0].value.ptr, "v") == 0);
    mr_response_free(listed);
    STEP(mr_untag_resource(client, &(struct mr_untag_resource_request){arn, MR_LIST(keys)}, &fault) == 0);
    STEP(mr_list_tags_for_resource(client, &(struct mr_list_tags_for_resource_request){.resource_arn = arn},
                                   &listed, &fault) == 0);
    STEP(listed->tags.len == 0);
    mr_response_free(listed);
    return 0;
}

static int moto_scheduled(void)
{
    struct mr_schedule_configuration schedule = {mr_text("cron(0 0 * * ? *)")};
    struct mr_sns_configuration sns = {mr_text("arn:aws:sns:us-east-1:123456789012:topic")};
    struct mr_notification_configuration notification = {.sns_configuration = &sns};
    struct mr_query_s3_configuration s3 = {.bucket_name = mr_text("bucket")};
    struct mr_error_report_configuration report = {.s3_configuration = &s3};
    struct mr_create_scheduled_query_request create = {.name = mr_text("nightly"),
                                                       .query_string = mr_text("SELECT 1"),
                                                       .schedule_configuration = &schedule,
                                                       .notification_configuration = &notification,
                                                       .scheduled_query_execution_role_arn =
                                                           mr_text("arn:aws:iam::123456789012:role/x"),
                                                       .error_report_configuration = &report};
    struct mr_create_scheduled_query_response *created;
    struct mr_describe_scheduled_query_response *described;
    STEP(mr_create_scheduled_query(client, &create, &created, &fault) == 0);
    struct mr_text arn = created->arn;
    STEP(mr_update_scheduled_query(
             client, &(struct mr_update_scheduled_query_request){arn, MR_SCHEDULED_QUERY_STATE_DISABLED},
             &fault) == 0);
    STEP(mr_describe_scheduled_query(client, &(struct mr_describe_scheduled_query_request){arn}, &described,
                                     &fault) == 0);
    STEP(described->scheduled_query->state == MR_SCHEDULED_QUERY_STATE_DISABLED);
    STEP(strcmp(described->scheduled_query->schedule_configuration->schedule_expression.ptr,
                "cron(0 0 * * ? *)") == 0);
    mr_response_free(described);
    STEP(mr_delete_scheduled_query(client, &(struct mr_delete_scheduled_query_request){arn}, &fault) == 0);
    mr_response_free(created);
    return 0;
}

static int moto(void)
{
    struct mr_text db = mr_text("moto_db");
    struct mr_create_database_response *made;
    STEP(mr_create_database(client, &(struct mr_create_database_request){.database_name = db}, &made,
                            &fault) == 0);
    STEP(moto_tags(made->database->arn) == 0);
    mr_response_free(made);
    struct mr_describe_database_response *described;
    STEP(mr_describe_database(client, &(struct mr_describe_database_request){db}, &described, &fault) == 0);
    STEP(strcmp(described->database->database_name.ptr, "moto_db") == 0);
    mr_response_free(described);
    STEP(mr_update_database(client, &(struct mr_update_database_request){db, mr_text("key")}, NULL, &fault) ==
         0);
    struct mr_list_databases_response *listed;
    STEP(mr_list_databases(client, &(struct mr_list_databases_request){.max_results = {false, 0}}, &listed,
                           &fault) == 0);
    STEP(listed->databases.len >= 1);
    mr_response_free(listed);
    STEP(moto_tables() == 0);
    STEP(moto_scheduled() == 0);
    struct mr_describe_endpoints_response *endpoints;
    STEP(mr_describe_endpoints(client, &endpoints, &fault) == 0 && endpoints->endpoints.len == 1);
    STEP(endpoints->endpoints.at[0].cache_period_in_minutes.v > 0);
    mr_response_free(endpoints);
    STEP(mr_delete_database(client, &(struct mr_delete_database_request){db}, &fault) == 0);
    puts("ok");
    return 0;
}

int main(int argc, char **argv)
{
    struct mr_options options = MR_OPTIONS_INIT;
    const char *what = argc > 1 ? argv[1] : "";
    if (getenv("PROBE_TIMEOUT_MS") != NULL)
        options.timeout_ms = atoi(getenv("PROBE_TIMEOUT_MS"));
    int rc = 2;
    if (mr_client_open(&options, &client, &fault) != 0)
        print_fault();
    else if (strcmp(what, "call") == 0)
        rc = call();
    else if (strcmp(what, "calls") == 0 && argc > 3)
        rc = calls(atoi(argv[2]), atoi(argv[3]));
    else if (strcmp(what, "everything") == 0)
        rc = everything();
    else if (strcmp(what, "moto") == 0)
        rc = moto();
    else if (strcmp(what, "presign") == 0)
        rc = presign();
    else if (strcmp(what, "write") == 0 && argc > 2)
        rc = write_many(atol(argv[2]), argc > 3 ? argv[3] : NULL);
    else if (strcmp(what, "soak") == 0 && argc > 2)
        rc = soak(atoi(argv[2]));
    else if (strcmp(what, "query") == 0 && argc > 2)
        rc = query(argv[2]);
    mr_client_close(client);
    mr_fault_clear(&fault);
    return rc;
}
