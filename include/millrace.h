/* millrace.h - a client for the Amazon Timestream for LiveAnalytics Write and Query APIs, in C.
 *
 * For Millrace and for AWS alike. This header is the manual; docs/client.md has the tutorial and the
 * settings. Link with `pkg-config --cflags --libs libmillrace` (libcurl and OpenSSL underneath).
 *
 * A client is opened once and used from any number of threads:
 *
 *     struct mr_client *client;
 *     struct mr_fault fault = MR_FAULT_INIT;
 *     if (mr_client_open(NULL, &client, &fault) != 0)
 *         ... fault.message says why ...
 *     struct mr_create_database_request request = {.database_name = mr_text("plant")};
 *     struct mr_create_database_response *answer;
 *     if (mr_create_database(client, &request, &answer, &fault) == 0)
 *         puts(answer->database->arn.ptr);
 *     mr_response_free(answer);
 *     mr_client_close(client);
 *     mr_fault_clear(&fault);
 *
 * Rules that hold everywhere
 * - Functions that return int give 0 or one of enum mr_err. A `struct mr_fault *` may be NULL; a given one is
 *   cleared at the start of the call and filled at its end.
 * - Requests are the caller's: the library copies what it keeps, and nothing of a request is changed.
 * - Responses are the library's: one block, const in spirit, freed with mr_response_free. Texts in them end
 * in a NUL that their length does not count. Where a function takes the address of a response pointer, that
 *   address may be NULL when the answer does not matter; on failure the pointer becomes NULL.
 * - A zeroed struct has every member absent: texts with ptr NULL, numbers with set false, enums 0, pointers
 *   NULL, lists with set false. An absent member is not sent; an absent member of an answer was not there.
 * - Free functions take NULL.
 * - Structs that the caller fills and that may grow begin with `size`; their _INIT macros set it.
 */
#ifndef MILLRACE_H
#define MILLRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define MR_API __attribute__((visibility("default")))
#else
#define MR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- values ---- */

/* Bytes of UTF-8 that are not owned; ptr NULL means absent. */
struct mr_text {
    const char *ptr;
    size_t len;
};

struct mr_texts {
    struct mr_text *at;
    size_t len;
    bool set;
};

struct mr_int {
    bool set;
    int64_t v;
};

struct mr_bool {
    bool set;
    bool v;
};

struct mr_double {
    bool set;
    double v; /* a point in time counts seconds since 1970-01-01T00:00:00Z */
};

static inline struct mr_text mr_text(const char *text) /* up to the NUL; NULL is absent */
{
    struct mr_text out = {text, text != NULL ? strlen(text) : 0};
    return out;
}

static inline struct mr_int mr_int(int64_t v)
{
    struct mr_int out = {true, v};
    return out;
}

static inline struct mr_bool mr_bool(bool v)
{
    struct mr_bool out = {true, v};
    return out;
}

static inline struct mr_double mr_double(double v)
{
    struct mr_double out = {true, v};
    return out;
}

/* Initialises a list from an array of the caller: .records = MR_LIST(records) */
#define MR_LIST(array)                                                                                       \
    {                                                                                                        \
        (array), sizeof(array) / sizeof((array)[0]), true                                                    \
    }

#define MR_NUMBER_TEXT 32 /* bytes for the two below */

/* Numbers as the API wants them in records: decimal text in the caller's buffer, NUL-terminated. A double is
 * the shortest text that reads back as the same double; NaN and infinities, which the API does not take, give
 * an absent text. Independent of the locale. */
MR_API struct mr_text mr_text_of_int(int64_t v, char buffer[MR_NUMBER_TEXT]);
MR_API struct mr_text mr_text_of_double(double v, char buffer[MR_NUMBER_TEXT]);

/* "0.1.0" */
MR_API const char *mr_version(void);

/* ---- errors ---- */

enum mr_err {
    MR_ERR_MEMORY = -1,      /* an allocation failed */
    MR_ERR_ARGUMENT = -2,    /* the call makes no sense; nothing was sent */
    MR_ERR_CONFIG = -3,      /* settings are missing or contradict each other; the message names them */
    MR_ERR_CREDENTIALS = -4, /* no credentials found, or their source failed */
    MR_ERR_NETWORK = -5, /* no connection, or it broke; the request may or may not have been carried out */
    MR_ERR_TLS = -6,     /* the server's certificate did not convince */
    MR_ERR_TIMEOUT = -7, /* no answer in time; the request may or may not have been carried out */
    MR_ERR_ANSWER =
        -8, /* an answer that is none of this API's: a redirect, a proxy's page, too large, broken */
    MR_ERR_SERVICE = -9, /* the service refused; code and message are its own words */
    MR_ERR_FULL = -10,   /* a writer's memory and spool are full and the time to wait is over */
    MR_ERR_CLOSED = -11, /* the object is being closed */
    MR_ERR_IO = -12,     /* a file could not be read or written */
};

struct mr_rejected_record;

/* What happened, in full. Start with MR_FAULT_INIT; texts are never NULL and live until the next call with
 * this fault or mr_fault_clear. */
struct mr_fault {
    int error;              /* enum mr_err; 0 after success */
    int http_status;        /* of the last answer; 0 when none came */
    const char *code;       /* "ThrottlingException", ...; "" when the service said nothing */
    const char *message;    /* for people */
    const char *request_id; /* x-amzn-RequestId of the last answer, after success too; "" when none came */
    int attempts;           /* requests sent */
    bool retryable;         /* the same call may succeed later */
    const struct mr_rejected_record
        *rejected; /* RejectedRecordsException: one for each record that was refused */
    size_t nrejected;
    const char *scheduled_query_arn; /* ResourceNotFoundException of scheduled queries; else "" */
    void *own;                       /* the library's */
};

#define MR_FAULT_INIT                                                                                        \
    {                                                                                                        \
        0, 0, "", "", "", 0, false, NULL, 0, "", NULL                                                        \
    }

MR_API void mr_fault_clear(struct mr_fault *fault);

/* "MR_ERR_NETWORK", ...; "0" for success. */
MR_API const char *mr_err_name(int error);

/* ---- clients ---- */

struct mr_client;

enum mr_choice {
    MR_CHOICE_AUTO = 0,
    MR_CHOICE_ON = 1,
    MR_CHOICE_OFF = 2,
};

/* NULL and 0 mean: as the environment and the configuration files say, else the default. The files are those
 * of the AWS CLI (docs/client.md lists variables and keys); an option beats the environment, the environment
 * beats the files. */
struct mr_options {
    size_t size; /* MR_OPTIONS_INIT */

    /* where */
    const char *region;         /* no default */
    const char *endpoint;       /* "http://127.0.0.1:8650": of both APIs */
    const char *write_endpoint; /* of one of them; beats `endpoint` */
    const char *query_endpoint;
    enum mr_choice discovery; /* AUTO: on without a custom endpoint, as the API demands; off with one */

    /* who */
    const char *access_key_id; /* with secret_access_key, beats every other source */
    const char *secret_access_key;
    const char *session_token;    /* of temporary credentials */
    const char *profile;          /* "default" */
    const char *config_file;      /* ~/.aws/config */
    const char *credentials_file; /* ~/.aws/credentials */

    /* how */
    int max_attempts;       /* of one call, first one included; 3 */
    int connect_timeout_ms; /* 10000 */
    int timeout_ms;         /* of one attempt, in all; 75000, since Query may take 60 s for its first page */
    const char *proxy;      /* "http://host:port"; "" for none whatever the environment says */
    const char *ca_file;    /* PEM; the system's */
    bool insecure;          /* accept any certificate: for tests only */
    int idle_connections;   /* kept open for the next call; 8 */
    const char *user_agent; /* stands behind the library's own */
};

#define MR_OPTIONS_INIT                                                                                      \
    {                                                                                                        \
        sizeof(struct mr_options), NULL, NULL, NULL, NULL, MR_CHOICE_AUTO, NULL, NULL, NULL, NULL, NULL,     \
            NULL, 0, 0, 0, NULL, NULL, false, 0, NULL                                                        \
    }

/* Reads environment and files once; does not touch the network. options may be NULL. Thread-safe, unless
 * another thread changes the environment. */
MR_API int mr_client_open(const struct mr_options *options, struct mr_client **out, struct mr_fault *fault);

/* After the last call has returned and everything opened on the client is closed. */
MR_API void mr_client_close(struct mr_client *client);

MR_API const char *mr_client_region(const struct mr_client *client);

MR_API void mr_response_free(void *response);

/* ---- the two APIs: enumerations, shapes, operations ----
 *
 * This section is printed from the API model that the server decodes with (src/model/shapes.def) by
 * tools/gen/client_header.c; a test holds the two together. docs/api.md has the same as a page.
 *
 * Each operation is a function named after it. Operations of both APIs exist twice: mr_tag_resource speaks to
 * Write, mr_query_tag_resource to Query. Operations whose request or response has no members leave that
 * argument out. A client token that is absent is filled with a random one, so that a retry is no second call.
 */

/* begin generated */
/* clang-format off */
enum mr_batch_load_data_format {
    MR_BATCH_LOAD_DATA_FORMAT_ABSENT = 0,
    MR_BATCH_LOAD_DATA_FORMAT_CSV = 1,
};

enum mr_batch_load_status {
    MR_BATCH_LOAD_STATUS_ABSENT = 0,
    MR_BATCH_LOAD_STATUS_CREATED = 1,
    MR_BATCH_LOAD_STATUS_IN_PROGRESS = 2,
    MR_BATCH_LOAD_STATUS_FAILED = 3,
    MR_BATCH_LOAD_STATUS_SUCCEEDED = 4,
    MR_BATCH_LOAD_STATUS_PROGRESS_STOPPED = 5,
    MR_BATCH_LOAD_STATUS_PENDING_RESUME = 6,
};

enum mr_dimension_value_type {
    MR_DIMENSION_VALUE_TYPE_ABSENT = 0,
    MR_DIMENSION_VALUE_TYPE_VARCHAR = 1,
};

enum mr_measure_value_type {
    MR_MEASURE_VALUE_TYPE_ABSENT = 0,
    MR_MEASURE_VALUE_TYPE_DOUBLE = 1,
    MR_MEASURE_VALUE_TYPE_BIGINT = 2,
    MR_MEASURE_VALUE_TYPE_VARCHAR = 3,
    MR_MEASURE_VALUE_TYPE_BOOLEAN = 4,
    MR_MEASURE_VALUE_TYPE_TIMESTAMP = 5,
    MR_MEASURE_VALUE_TYPE_MULTI = 6,
};

enum mr_partition_key_enforcement_level {
    MR_PARTITION_KEY_ENFORCEMENT_LEVEL_ABSENT = 0,
    MR_PARTITION_KEY_ENFORCEMENT_LEVEL_REQUIRED = 1,
    MR_PARTITION_KEY_ENFORCEMENT_LEVEL_OPTIONAL = 2,
};

enum mr_partition_key_type {
    MR_PARTITION_KEY_TYPE_ABSENT = 0,
    MR_PARTITION_KEY_TYPE_DIMENSION = 1,
    MR_PARTITION_KEY_TYPE_MEASURE = 2,
};

enum mr_s3_encryption_option {
    MR_S3_ENCRYPTION_OPTION_ABSENT = 0,
    MR_S3_ENCRYPTION_OPTION_SSE_S3 = 1,
    MR_S3_ENCRYPTION_OPTION_SSE_KMS = 2,
};

enum mr_scalar_measure_value_type {
    MR_SCALAR_MEASURE_VALUE_TYPE_ABSENT = 0,
    MR_SCALAR_MEASURE_VALUE_TYPE_DOUBLE = 1,
    MR_SCALAR_MEASURE_VALUE_TYPE_BIGINT = 2,
    MR_SCALAR_MEASURE_VALUE_TYPE_BOOLEAN = 3,
    MR_SCALAR_MEASURE_VALUE_TYPE_VARCHAR = 4,
    MR_SCALAR_MEASURE_VALUE_TYPE_TIMESTAMP = 5,
};

enum mr_table_status {
    MR_TABLE_STATUS_ABSENT = 0,
    MR_TABLE_STATUS_ACTIVE = 1,
    MR_TABLE_STATUS_DELETING = 2,
    MR_TABLE_STATUS_RESTORING = 3,
};

enum mr_time_unit {
    MR_TIME_UNIT_ABSENT = 0,
    MR_TIME_UNIT_MILLISECONDS = 1,
    MR_TIME_UNIT_SECONDS = 2,
    MR_TIME_UNIT_MICROSECONDS = 3,
    MR_TIME_UNIT_NANOSECONDS = 4,
};

enum mr_compute_mode {
    MR_COMPUTE_MODE_ABSENT = 0,
    MR_COMPUTE_MODE_ON_DEMAND = 1,
    MR_COMPUTE_MODE_PROVISIONED = 2,
};

enum mr_last_update_status {
    MR_LAST_UPDATE_STATUS_ABSENT = 0,
    MR_LAST_UPDATE_STATUS_PENDING = 1,
    MR_LAST_UPDATE_STATUS_FAILED = 2,
    MR_LAST_UPDATE_STATUS_SUCCEEDED = 3,
};

enum mr_query_measure_value_type {
    MR_QUERY_MEASURE_VALUE_TYPE_ABSENT = 0,
    MR_QUERY_MEASURE_VALUE_TYPE_BIGINT = 1,
    MR_QUERY_MEASURE_VALUE_TYPE_BOOLEAN = 2,
    MR_QUERY_MEASURE_VALUE_TYPE_DOUBLE = 3,
    MR_QUERY_MEASURE_VALUE_TYPE_VARCHAR = 4,
    MR_QUERY_MEASURE_VALUE_TYPE_MULTI = 5,
};

enum mr_query_insights_mode {
    MR_QUERY_INSIGHTS_MODE_ABSENT = 0,
    MR_QUERY_INSIGHTS_MODE_ENABLED_WITH_RATE_CONTROL = 1,
    MR_QUERY_INSIGHTS_MODE_DISABLED = 2,
};

enum mr_query_pricing_model {
    MR_QUERY_PRICING_MODEL_ABSENT = 0,
    MR_QUERY_PRICING_MODEL_BYTES_SCANNED = 1,
    MR_QUERY_PRICING_MODEL_COMPUTE_UNITS = 2,
};

enum mr_query_scalar_measure_value_type {
    MR_QUERY_SCALAR_MEASURE_VALUE_TYPE_ABSENT = 0,
    MR_QUERY_SCALAR_MEASURE_VALUE_TYPE_BIGINT = 1,
    MR_QUERY_SCALAR_MEASURE_VALUE_TYPE_BOOLEAN = 2,
    MR_QUERY_SCALAR_MEASURE_VALUE_TYPE_DOUBLE = 3,
    MR_QUERY_SCALAR_MEASURE_VALUE_TYPE_VARCHAR = 4,
    MR_QUERY_SCALAR_MEASURE_VALUE_TYPE_TIMESTAMP = 5,
};

enum mr_scalar_type {
    MR_SCALAR_TYPE_ABSENT = 0,
    MR_SCALAR_TYPE_VARCHAR = 1,
    MR_SCALAR_TYPE_BOOLEAN = 2,
    MR_SCALAR_TYPE_BIGINT = 3,
    MR_SCALAR_TYPE_DOUBLE = 4,
    MR_SCALAR_TYPE_TIMESTAMP = 5,
    MR_SCALAR_TYPE_DATE = 6,
    MR_SCALAR_TYPE_TIME = 7,
    MR_SCALAR_TYPE_INTERVAL_DAY_TO_SECOND = 8,
    MR_SCALAR_TYPE_INTERVAL_YEAR_TO_MONTH = 9,
    MR_SCALAR_TYPE_UNKNOWN = 10,
    MR_SCALAR_TYPE_INTEGER = 11,
};

enum mr_scheduled_query_insights_mode {
    MR_SCHEDULED_QUERY_INSIGHTS_MODE_ABSENT = 0,
    MR_SCHEDULED_QUERY_INSIGHTS_MODE_ENABLED_WITH_RATE_CONTROL = 1,
    MR_SCHEDULED_QUERY_INSIGHTS_MODE_DISABLED = 2,
};

enum mr_scheduled_query_run_status {
    MR_SCHEDULED_QUERY_RUN_STATUS_ABSENT = 0,
    MR_SCHEDULED_QUERY_RUN_STATUS_AUTO_TRIGGER_SUCCESS = 1,
    MR_SCHEDULED_QUERY_RUN_STATUS_AUTO_TRIGGER_FAILURE = 2,
    MR_SCHEDULED_QUERY_RUN_STATUS_MANUAL_TRIGGER_SUCCESS = 3,
    MR_SCHEDULED_QUERY_RUN_STATUS_MANUAL_TRIGGER_FAILURE = 4,
};

enum mr_scheduled_query_state {
    MR_SCHEDULED_QUERY_STATE_ABSENT = 0,
    MR_SCHEDULED_QUERY_STATE_ENABLED = 1,
    MR_SCHEDULED_QUERY_STATE_DISABLED = 2,
};

struct mr_describe_endpoints_response;
struct mr_describe_endpoints_response_list { struct mr_describe_endpoints_response *at; size_t len; bool set; };
struct mr_endpoint;
struct mr_endpoint_list { struct mr_endpoint *at; size_t len; bool set; };
struct mr_list_tags_for_resource_request;
struct mr_list_tags_for_resource_request_list { struct mr_list_tags_for_resource_request *at; size_t len; bool set; };
struct mr_list_tags_for_resource_response;
struct mr_list_tags_for_resource_response_list { struct mr_list_tags_for_resource_response *at; size_t len; bool set; };
struct mr_tag;
struct mr_tag_list { struct mr_tag *at; size_t len; bool set; };
struct mr_tag_resource_request;
struct mr_tag_resource_request_list { struct mr_tag_resource_request *at; size_t len; bool set; };
struct mr_untag_resource_request;
struct mr_untag_resource_request_list { struct mr_untag_resource_request *at; size_t len; bool set; };
struct mr_batch_load_progress_report;
struct mr_batch_load_progress_report_list { struct mr_batch_load_progress_report *at; size_t len; bool set; };
struct mr_batch_load_task;
struct mr_batch_load_task_list { struct mr_batch_load_task *at; size_t len; bool set; };
struct mr_batch_load_task_description;
struct mr_batch_load_task_description_list { struct mr_batch_load_task_description *at; size_t len; bool set; };
struct mr_create_batch_load_task_request;
struct mr_create_batch_load_task_request_list { struct mr_create_batch_load_task_request *at; size_t len; bool set; };
struct mr_create_batch_load_task_response;
struct mr_create_batch_load_task_response_list { struct mr_create_batch_load_task_response *at; size_t len; bool set; };
struct mr_create_database_request;
struct mr_create_database_request_list { struct mr_create_database_request *at; size_t len; bool set; };
struct mr_create_database_response;
struct mr_create_database_response_list { struct mr_create_database_response *at; size_t len; bool set; };
struct mr_create_table_request;
struct mr_create_table_request_list { struct mr_create_table_request *at; size_t len; bool set; };
struct mr_create_table_response;
struct mr_create_table_response_list { struct mr_create_table_response *at; size_t len; bool set; };
struct mr_csv_configuration;
struct mr_csv_configuration_list { struct mr_csv_configuration *at; size_t len; bool set; };
struct mr_data_model;
struct mr_data_model_list { struct mr_data_model *at; size_t len; bool set; };
struct mr_data_model_configuration;
struct mr_data_model_configuration_list { struct mr_data_model_configuration *at; size_t len; bool set; };
struct mr_data_model_s3_configuration;
struct mr_data_model_s3_configuration_list { struct mr_data_model_s3_configuration *at; size_t len; bool set; };
struct mr_data_source_configuration;
struct mr_data_source_configuration_list { struct mr_data_source_configuration *at; size_t len; bool set; };
struct mr_data_source_s3_configuration;
struct mr_data_source_s3_configuration_list { struct mr_data_source_s3_configuration *at; size_t len; bool set; };
struct mr_database;
struct mr_database_list { struct mr_database *at; size_t len; bool set; };
struct mr_delete_database_request;
struct mr_delete_database_request_list { struct mr_delete_database_request *at; size_t len; bool set; };
struct mr_delete_table_request;
struct mr_delete_table_request_list { struct mr_delete_table_request *at; size_t len; bool set; };
struct mr_describe_batch_load_task_request;
struct mr_describe_batch_load_task_request_list { struct mr_describe_batch_load_task_request *at; size_t len; bool set; };
struct mr_describe_batch_load_task_response;
struct mr_describe_batch_load_task_response_list { struct mr_describe_batch_load_task_response *at; size_t len; bool set; };
struct mr_describe_database_request;
struct mr_describe_database_request_list { struct mr_describe_database_request *at; size_t len; bool set; };
struct mr_describe_database_response;
struct mr_describe_database_response_list { struct mr_describe_database_response *at; size_t len; bool set; };
struct mr_describe_table_request;
struct mr_describe_table_request_list { struct mr_describe_table_request *at; size_t len; bool set; };
struct mr_describe_table_response;
struct mr_describe_table_response_list { struct mr_describe_table_response *at; size_t len; bool set; };
struct mr_dimension;
struct mr_dimension_list { struct mr_dimension *at; size_t len; bool set; };
struct mr_dimension_mapping;
struct mr_dimension_mapping_list { struct mr_dimension_mapping *at; size_t len; bool set; };
struct mr_list_batch_load_tasks_request;
struct mr_list_batch_load_tasks_request_list { struct mr_list_batch_load_tasks_request *at; size_t len; bool set; };
struct mr_list_batch_load_tasks_response;
struct mr_list_batch_load_tasks_response_list { struct mr_list_batch_load_tasks_response *at; size_t len; bool set; };
struct mr_list_databases_request;
struct mr_list_databases_request_list { struct mr_list_databases_request *at; size_t len; bool set; };
struct mr_list_databases_response;
struct mr_list_databases_response_list { struct mr_list_databases_response *at; size_t len; bool set; };
struct mr_list_tables_request;
struct mr_list_tables_request_list { struct mr_list_tables_request *at; size_t len; bool set; };
struct mr_list_tables_response;
struct mr_list_tables_response_list { struct mr_list_tables_response *at; size_t len; bool set; };
struct mr_magnetic_store_rejected_data_location;
struct mr_magnetic_store_rejected_data_location_list { struct mr_magnetic_store_rejected_data_location *at; size_t len; bool set; };
struct mr_magnetic_store_write_properties;
struct mr_magnetic_store_write_properties_list { struct mr_magnetic_store_write_properties *at; size_t len; bool set; };
struct mr_measure_value;
struct mr_measure_value_list { struct mr_measure_value *at; size_t len; bool set; };
struct mr_mixed_measure_mapping;
struct mr_mixed_measure_mapping_list { struct mr_mixed_measure_mapping *at; size_t len; bool set; };
struct mr_multi_measure_attribute_mapping;
struct mr_multi_measure_attribute_mapping_list { struct mr_multi_measure_attribute_mapping *at; size_t len; bool set; };
struct mr_multi_measure_mappings;
struct mr_multi_measure_mappings_list { struct mr_multi_measure_mappings *at; size_t len; bool set; };
struct mr_partition_key;
struct mr_partition_key_list { struct mr_partition_key *at; size_t len; bool set; };
struct mr_record;
struct mr_record_list { struct mr_record *at; size_t len; bool set; };
struct mr_records_ingested;
struct mr_records_ingested_list { struct mr_records_ingested *at; size_t len; bool set; };
struct mr_rejected_record;
struct mr_rejected_record_list { struct mr_rejected_record *at; size_t len; bool set; };
struct mr_report_configuration;
struct mr_report_configuration_list { struct mr_report_configuration *at; size_t len; bool set; };
struct mr_report_s3_configuration;
struct mr_report_s3_configuration_list { struct mr_report_s3_configuration *at; size_t len; bool set; };
struct mr_resume_batch_load_task_request;
struct mr_resume_batch_load_task_request_list { struct mr_resume_batch_load_task_request *at; size_t len; bool set; };
struct mr_retention_properties;
struct mr_retention_properties_list { struct mr_retention_properties *at; size_t len; bool set; };
struct mr_s3_configuration;
struct mr_s3_configuration_list { struct mr_s3_configuration *at; size_t len; bool set; };
struct mr_schema;
struct mr_schema_list { struct mr_schema *at; size_t len; bool set; };
struct mr_table;
struct mr_table_list { struct mr_table *at; size_t len; bool set; };
struct mr_update_database_request;
struct mr_update_database_request_list { struct mr_update_database_request *at; size_t len; bool set; };
struct mr_update_database_response;
struct mr_update_database_response_list { struct mr_update_database_response *at; size_t len; bool set; };
struct mr_update_table_request;
struct mr_update_table_request_list { struct mr_update_table_request *at; size_t len; bool set; };
struct mr_update_table_response;
struct mr_update_table_response_list { struct mr_update_table_response *at; size_t len; bool set; };
struct mr_write_records_request;
struct mr_write_records_request_list { struct mr_write_records_request *at; size_t len; bool set; };
struct mr_write_records_response;
struct mr_write_records_response_list { struct mr_write_records_response *at; size_t len; bool set; };
struct mr_account_settings_notification_configuration;
struct mr_account_settings_notification_configuration_list { struct mr_account_settings_notification_configuration *at; size_t len; bool set; };
struct mr_cancel_query_request;
struct mr_cancel_query_request_list { struct mr_cancel_query_request *at; size_t len; bool set; };
struct mr_cancel_query_response;
struct mr_cancel_query_response_list { struct mr_cancel_query_response *at; size_t len; bool set; };
struct mr_column_info;
struct mr_column_info_list { struct mr_column_info *at; size_t len; bool set; };
struct mr_create_scheduled_query_request;
struct mr_create_scheduled_query_request_list { struct mr_create_scheduled_query_request *at; size_t len; bool set; };
struct mr_create_scheduled_query_response;
struct mr_create_scheduled_query_response_list { struct mr_create_scheduled_query_response *at; size_t len; bool set; };
struct mr_datum;
struct mr_datum_list { struct mr_datum *at; size_t len; bool set; };
struct mr_delete_scheduled_query_request;
struct mr_delete_scheduled_query_request_list { struct mr_delete_scheduled_query_request *at; size_t len; bool set; };
struct mr_describe_account_settings_response;
struct mr_describe_account_settings_response_list { struct mr_describe_account_settings_response *at; size_t len; bool set; };
struct mr_describe_scheduled_query_request;
struct mr_describe_scheduled_query_request_list { struct mr_describe_scheduled_query_request *at; size_t len; bool set; };
struct mr_describe_scheduled_query_response;
struct mr_describe_scheduled_query_response_list { struct mr_describe_scheduled_query_response *at; size_t len; bool set; };
struct mr_query_dimension_mapping;
struct mr_query_dimension_mapping_list { struct mr_query_dimension_mapping *at; size_t len; bool set; };
struct mr_error_report_configuration;
struct mr_error_report_configuration_list { struct mr_error_report_configuration *at; size_t len; bool set; };
struct mr_error_report_location;
struct mr_error_report_location_list { struct mr_error_report_location *at; size_t len; bool set; };
struct mr_execute_scheduled_query_request;
struct mr_execute_scheduled_query_request_list { struct mr_execute_scheduled_query_request *at; size_t len; bool set; };
struct mr_execution_stats;
struct mr_execution_stats_list { struct mr_execution_stats *at; size_t len; bool set; };
struct mr_last_update;
struct mr_last_update_list { struct mr_last_update *at; size_t len; bool set; };
struct mr_list_scheduled_queries_request;
struct mr_list_scheduled_queries_request_list { struct mr_list_scheduled_queries_request *at; size_t len; bool set; };
struct mr_list_scheduled_queries_response;
struct mr_list_scheduled_queries_response_list { struct mr_list_scheduled_queries_response *at; size_t len; bool set; };
struct mr_query_mixed_measure_mapping;
struct mr_query_mixed_measure_mapping_list { struct mr_query_mixed_measure_mapping *at; size_t len; bool set; };
struct mr_query_multi_measure_attribute_mapping;
struct mr_query_multi_measure_attribute_mapping_list { struct mr_query_multi_measure_attribute_mapping *at; size_t len; bool set; };
struct mr_query_multi_measure_mappings;
struct mr_query_multi_measure_mappings_list { struct mr_query_multi_measure_mappings *at; size_t len; bool set; };
struct mr_notification_configuration;
struct mr_notification_configuration_list { struct mr_notification_configuration *at; size_t len; bool set; };
struct mr_parameter_mapping;
struct mr_parameter_mapping_list { struct mr_parameter_mapping *at; size_t len; bool set; };
struct mr_prepare_query_request;
struct mr_prepare_query_request_list { struct mr_prepare_query_request *at; size_t len; bool set; };
struct mr_prepare_query_response;
struct mr_prepare_query_response_list { struct mr_prepare_query_response *at; size_t len; bool set; };
struct mr_provisioned_capacity_request;
struct mr_provisioned_capacity_request_list { struct mr_provisioned_capacity_request *at; size_t len; bool set; };
struct mr_provisioned_capacity_response;
struct mr_provisioned_capacity_response_list { struct mr_provisioned_capacity_response *at; size_t len; bool set; };
struct mr_query_compute_request;
struct mr_query_compute_request_list { struct mr_query_compute_request *at; size_t len; bool set; };
struct mr_query_compute_response;
struct mr_query_compute_response_list { struct mr_query_compute_response *at; size_t len; bool set; };
struct mr_query_insights;
struct mr_query_insights_list { struct mr_query_insights *at; size_t len; bool set; };
struct mr_query_insights_response;
struct mr_query_insights_response_list { struct mr_query_insights_response *at; size_t len; bool set; };
struct mr_query_request;
struct mr_query_request_list { struct mr_query_request *at; size_t len; bool set; };
struct mr_query_response;
struct mr_query_response_list { struct mr_query_response *at; size_t len; bool set; };
struct mr_query_spatial_coverage;
struct mr_query_spatial_coverage_list { struct mr_query_spatial_coverage *at; size_t len; bool set; };
struct mr_query_spatial_coverage_max;
struct mr_query_spatial_coverage_max_list { struct mr_query_spatial_coverage_max *at; size_t len; bool set; };
struct mr_query_status;
struct mr_query_status_list { struct mr_query_status *at; size_t len; bool set; };
struct mr_query_temporal_range;
struct mr_query_temporal_range_list { struct mr_query_temporal_range *at; size_t len; bool set; };
struct mr_query_temporal_range_max;
struct mr_query_temporal_range_max_list { struct mr_query_temporal_range_max *at; size_t len; bool set; };
struct mr_row;
struct mr_row_list { struct mr_row *at; size_t len; bool set; };
struct mr_query_s3_configuration;
struct mr_query_s3_configuration_list { struct mr_query_s3_configuration *at; size_t len; bool set; };
struct mr_s3_report_location;
struct mr_s3_report_location_list { struct mr_s3_report_location *at; size_t len; bool set; };
struct mr_schedule_configuration;
struct mr_schedule_configuration_list { struct mr_schedule_configuration *at; size_t len; bool set; };
struct mr_scheduled_query;
struct mr_scheduled_query_list { struct mr_scheduled_query *at; size_t len; bool set; };
struct mr_scheduled_query_description;
struct mr_scheduled_query_description_list { struct mr_scheduled_query_description *at; size_t len; bool set; };
struct mr_scheduled_query_insights;
struct mr_scheduled_query_insights_list { struct mr_scheduled_query_insights *at; size_t len; bool set; };
struct mr_scheduled_query_insights_response;
struct mr_scheduled_query_insights_response_list { struct mr_scheduled_query_insights_response *at; size_t len; bool set; };
struct mr_scheduled_query_run_summary;
struct mr_scheduled_query_run_summary_list { struct mr_scheduled_query_run_summary *at; size_t len; bool set; };
struct mr_select_column;
struct mr_select_column_list { struct mr_select_column *at; size_t len; bool set; };
struct mr_sns_configuration;
struct mr_sns_configuration_list { struct mr_sns_configuration *at; size_t len; bool set; };
struct mr_target_configuration;
struct mr_target_configuration_list { struct mr_target_configuration *at; size_t len; bool set; };
struct mr_target_destination;
struct mr_target_destination_list { struct mr_target_destination *at; size_t len; bool set; };
struct mr_time_series_data_point;
struct mr_time_series_data_point_list { struct mr_time_series_data_point *at; size_t len; bool set; };
struct mr_timestream_configuration;
struct mr_timestream_configuration_list { struct mr_timestream_configuration *at; size_t len; bool set; };
struct mr_timestream_destination;
struct mr_timestream_destination_list { struct mr_timestream_destination *at; size_t len; bool set; };
struct mr_type;
struct mr_type_list { struct mr_type *at; size_t len; bool set; };
struct mr_update_account_settings_request;
struct mr_update_account_settings_request_list { struct mr_update_account_settings_request *at; size_t len; bool set; };
struct mr_update_account_settings_response;
struct mr_update_account_settings_response_list { struct mr_update_account_settings_response *at; size_t len; bool set; };
struct mr_update_scheduled_query_request;
struct mr_update_scheduled_query_request_list { struct mr_update_scheduled_query_request *at; size_t len; bool set; };

struct mr_describe_endpoints_response {
    struct mr_endpoint_list endpoints; /* Endpoints, required */
};

struct mr_endpoint {
    struct mr_text address; /* Address, required */
    struct mr_int cache_period_in_minutes; /* CachePeriodInMinutes, required */
};

struct mr_list_tags_for_resource_request {
    struct mr_text resource_arn; /* ResourceARN, required, 1 to 2048 characters */
    struct mr_int max_results; /* MaxResults, 1 to 200 */
    struct mr_text next_token; /* NextToken */
};

struct mr_list_tags_for_resource_response {
    struct mr_tag_list tags; /* Tags, required, at most 200 elements */
    struct mr_text next_token; /* NextToken */
};

struct mr_tag {
    struct mr_text key; /* Key, required, 1 to 128 characters */
    struct mr_text value; /* Value, required, at most 256 characters */
};

struct mr_tag_resource_request {
    struct mr_text resource_arn; /* ResourceARN, required, 1 to 2048 characters */
    struct mr_tag_list tags; /* Tags, required, at most 200 elements */
};

struct mr_untag_resource_request {
    struct mr_text resource_arn; /* ResourceARN, required, 1 to 2048 characters */
    struct mr_texts tag_keys; /* TagKeys, required, at most 200 elements */
};

struct mr_batch_load_progress_report {
    struct mr_int records_processed; /* RecordsProcessed */
    struct mr_int records_ingested; /* RecordsIngested */
    struct mr_int parse_failures; /* ParseFailures */
    struct mr_int record_ingestion_failures; /* RecordIngestionFailures */
    struct mr_int file_failures; /* FileFailures */
    struct mr_int bytes_metered; /* BytesMetered */
};

struct mr_batch_load_task {
    struct mr_text task_id; /* TaskId, 3 to 32 characters */
    enum mr_batch_load_status task_status; /* TaskStatus */
    struct mr_text database_name; /* DatabaseName, 3 to 256 bytes */
    struct mr_text table_name; /* TableName, 3 to 256 bytes */
    struct mr_double creation_time; /* CreationTime */
    struct mr_double last_updated_time; /* LastUpdatedTime */
    struct mr_double resumable_until; /* ResumableUntil */
};

struct mr_batch_load_task_description {
    struct mr_text task_id; /* TaskId, 3 to 32 characters */
    struct mr_text error_message; /* ErrorMessage, 1 to 2048 characters */
    struct mr_data_source_configuration *data_source_configuration; /* DataSourceConfiguration */
    struct mr_batch_load_progress_report *progress_report; /* ProgressReport */
    struct mr_report_configuration *report_configuration; /* ReportConfiguration */
    struct mr_data_model_configuration *data_model_configuration; /* DataModelConfiguration */
    struct mr_text target_database_name; /* TargetDatabaseName, 3 to 256 bytes */
    struct mr_text target_table_name; /* TargetTableName, 3 to 256 bytes */
    enum mr_batch_load_status task_status; /* TaskStatus */
    struct mr_int record_version; /* RecordVersion */
    struct mr_double creation_time; /* CreationTime */
    struct mr_double last_updated_time; /* LastUpdatedTime */
    struct mr_double resumable_until; /* ResumableUntil */
};

struct mr_create_batch_load_task_request {
    struct mr_text client_token; /* ClientToken, 1 to 64 characters */
    struct mr_data_model_configuration *data_model_configuration; /* DataModelConfiguration */
    struct mr_data_source_configuration *data_source_configuration; /* DataSourceConfiguration, required */
    struct mr_report_configuration *report_configuration; /* ReportConfiguration, required */
    struct mr_text target_database_name; /* TargetDatabaseName, required, 3 to 256 bytes */
    struct mr_text target_table_name; /* TargetTableName, required, 3 to 256 bytes */
    struct mr_int record_version; /* RecordVersion, at least 1; absent: 1 */
};

struct mr_create_batch_load_task_response {
    struct mr_text task_id; /* TaskId, required, 3 to 32 characters */
};

struct mr_create_database_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
    struct mr_text kms_key_id; /* KmsKeyId, 1 to 2048 characters */
    struct mr_tag_list tags; /* Tags, at most 200 elements */
};

struct mr_create_database_response {
    struct mr_database *database; /* Database */
};

struct mr_create_table_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
    struct mr_text table_name; /* TableName, required, 3 to 256 bytes */
    struct mr_retention_properties *retention_properties; /* RetentionProperties; absent: 6 hours, 73000 days */
    struct mr_tag_list tags; /* Tags, at most 200 elements */
    struct mr_magnetic_store_write_properties *magnetic_store_write_properties; /* MagneticStoreWriteProperties; absent: off */
    struct mr_schema *schema; /* Schema; absent: one MEASURE key */
};

struct mr_create_table_response {
    struct mr_table *table; /* Table */
};

struct mr_csv_configuration {
    struct mr_text column_separator; /* ColumnSeparator, 1 characters; absent: a comma */
    struct mr_text escape_char; /* EscapeChar, 1 characters */
    struct mr_text quote_char; /* QuoteChar, 1 characters; absent: a double quote */
    struct mr_text null_value; /* NullValue, 1 to 256 characters */
    struct mr_bool trim_white_space; /* TrimWhiteSpace; absent: false */
};

struct mr_data_model {
    struct mr_text time_column; /* TimeColumn, 1 to 256 characters */
    enum mr_time_unit time_unit; /* TimeUnit; absent: MILLISECONDS */
    struct mr_dimension_mapping_list dimension_mappings; /* DimensionMappings, required, at least 1 elements */
    struct mr_multi_measure_mappings *multi_measure_mappings; /* MultiMeasureMappings */
    struct mr_mixed_measure_mapping_list mixed_measure_mappings; /* MixedMeasureMappings, at least 1 elements */
    struct mr_text measure_name_column; /* MeasureNameColumn, 1 to 256 characters */
};

struct mr_data_model_configuration {
    struct mr_data_model *data_model; /* DataModel */
    struct mr_data_model_s3_configuration *data_model_s3_configuration; /* DataModelS3Configuration */
};

struct mr_data_model_s3_configuration {
    struct mr_text bucket_name; /* BucketName, 3 to 63 characters */
    struct mr_text object_key; /* ObjectKey, 1 to 1024 characters */
};

struct mr_data_source_configuration {
    struct mr_data_source_s3_configuration *data_source_s3_configuration; /* DataSourceS3Configuration, required */
    struct mr_csv_configuration *csv_configuration; /* CsvConfiguration */
    enum mr_batch_load_data_format data_format; /* DataFormat, required */
};

struct mr_data_source_s3_configuration {
    struct mr_text bucket_name; /* BucketName, required, 3 to 63 characters */
    struct mr_text object_key_prefix; /* ObjectKeyPrefix, 1 to 1024 characters */
};

struct mr_database {
    struct mr_text arn; /* Arn */
    struct mr_text database_name; /* DatabaseName, 3 to 256 bytes */
    struct mr_int table_count; /* TableCount */
    struct mr_text kms_key_id; /* KmsKeyId, 1 to 2048 characters */
    struct mr_double creation_time; /* CreationTime */
    struct mr_double last_updated_time; /* LastUpdatedTime */
};

struct mr_delete_database_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
};

struct mr_delete_table_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
    struct mr_text table_name; /* TableName, required, 3 to 256 bytes */
};

struct mr_describe_batch_load_task_request {
    struct mr_text task_id; /* TaskId, required, 3 to 32 characters */
};

struct mr_describe_batch_load_task_response {
    struct mr_batch_load_task_description *batch_load_task_description; /* BatchLoadTaskDescription, required */
};

struct mr_describe_database_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
};

struct mr_describe_database_response {
    struct mr_database *database; /* Database */
};

struct mr_describe_table_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
    struct mr_text table_name; /* TableName, required, 3 to 256 bytes */
};

struct mr_describe_table_response {
    struct mr_table *table; /* Table */
};

struct mr_dimension {
    struct mr_text name; /* Name, required, 1 to 60 bytes */
    struct mr_text value; /* Value, required */
    enum mr_dimension_value_type dimension_value_type; /* DimensionValueType; absent: VARCHAR */
};

struct mr_dimension_mapping {
    struct mr_text source_column; /* SourceColumn, at least 1 characters */
    struct mr_text destination_column; /* DestinationColumn, at least 1 characters; absent: the source column */
};

struct mr_list_batch_load_tasks_request {
    struct mr_text next_token; /* NextToken */
    struct mr_int max_results; /* MaxResults, 1 to 100; absent: 100 */
    enum mr_batch_load_status task_status; /* TaskStatus */
};

struct mr_list_batch_load_tasks_response {
    struct mr_text next_token; /* NextToken */
    struct mr_batch_load_task_list batch_load_tasks; /* BatchLoadTasks */
};

struct mr_list_databases_request {
    struct mr_text next_token; /* NextToken */
    struct mr_int max_results; /* MaxResults, 1 to 20; absent: 20 */
};

struct mr_list_databases_response {
    struct mr_database_list databases; /* Databases */
    struct mr_text next_token; /* NextToken */
};

struct mr_list_tables_request {
    struct mr_text database_name; /* DatabaseName, 3 to 256 bytes */
    struct mr_text next_token; /* NextToken */
    struct mr_int max_results; /* MaxResults, 1 to 20; absent: 20 */
};

struct mr_list_tables_response {
    struct mr_table_list tables; /* Tables */
    struct mr_text next_token; /* NextToken */
};

struct mr_magnetic_store_rejected_data_location {
    struct mr_s3_configuration *s3_configuration; /* S3Configuration */
};

struct mr_magnetic_store_write_properties {
    struct mr_bool enable_magnetic_store_writes; /* EnableMagneticStoreWrites, required */
    struct mr_magnetic_store_rejected_data_location *magnetic_store_rejected_data_location; /* MagneticStoreRejectedDataLocation */
};

struct mr_measure_value {
    struct mr_text name; /* Name, required, at least 1 characters */
    struct mr_text value; /* Value, required, 1 to 2048 characters */
    enum mr_measure_value_type type; /* Type, required */
};

struct mr_mixed_measure_mapping {
    struct mr_text measure_name; /* MeasureName, at least 1 characters */
    struct mr_text source_column; /* SourceColumn, at least 1 characters */
    struct mr_text target_measure_name; /* TargetMeasureName, at least 1 characters */
    enum mr_measure_value_type measure_value_type; /* MeasureValueType, required */
    struct mr_multi_measure_attribute_mapping_list multi_measure_attribute_mappings; /* MultiMeasureAttributeMappings, at least 1 elements */
};

struct mr_multi_measure_attribute_mapping {
    struct mr_text source_column; /* SourceColumn, required, at least 1 characters */
    struct mr_text target_multi_measure_attribute_name; /* TargetMultiMeasureAttributeName, at least 1 characters; absent: the source column */
    enum mr_scalar_measure_value_type measure_value_type; /* MeasureValueType */
};

struct mr_multi_measure_mappings {
    struct mr_text target_multi_measure_name; /* TargetMultiMeasureName, at least 1 characters */
    struct mr_multi_measure_attribute_mapping_list multi_measure_attribute_mappings; /* MultiMeasureAttributeMappings, required, at least 1 elements */
};

struct mr_partition_key {
    enum mr_partition_key_type type; /* Type, required */
    struct mr_text name; /* Name, at least 1 characters */
    enum mr_partition_key_enforcement_level enforcement_in_record; /* EnforcementInRecord */
};

struct mr_record {
    struct mr_dimension_list dimensions; /* Dimensions, at most 128 elements */
    struct mr_text measure_name; /* MeasureName, 1 to 256 bytes */
    struct mr_text measure_value; /* MeasureValue, 1 to 2048 characters */
    enum mr_measure_value_type measure_value_type; /* MeasureValueType; absent: DOUBLE */
    struct mr_text time; /* Time, 1 to 256 characters */
    enum mr_time_unit time_unit; /* TimeUnit; absent: MILLISECONDS */
    struct mr_int version; /* Version, at least 1; absent: 1 */
    struct mr_measure_value_list measure_values; /* MeasureValues */
};

struct mr_records_ingested {
    struct mr_int total; /* Total */
    struct mr_int memory_store; /* MemoryStore */
    struct mr_int magnetic_store; /* MagneticStore */
};

struct mr_rejected_record {
    struct mr_int record_index; /* RecordIndex */
    struct mr_text reason; /* Reason */
    struct mr_int existing_version; /* ExistingVersion */
};

struct mr_report_configuration {
    struct mr_report_s3_configuration *report_s3_configuration; /* ReportS3Configuration */
};

struct mr_report_s3_configuration {
    struct mr_text bucket_name; /* BucketName, required, 3 to 63 characters */
    struct mr_text object_key_prefix; /* ObjectKeyPrefix, 1 to 928 characters */
    enum mr_s3_encryption_option encryption_option; /* EncryptionOption */
    struct mr_text kms_key_id; /* KmsKeyId, 1 to 2048 characters */
};

struct mr_resume_batch_load_task_request {
    struct mr_text task_id; /* TaskId, required, 3 to 32 characters */
};

struct mr_retention_properties {
    struct mr_int memory_store_retention_period_in_hours; /* MemoryStoreRetentionPeriodInHours, required, 1 to 8766 */
    struct mr_int magnetic_store_retention_period_in_days; /* MagneticStoreRetentionPeriodInDays, required, 1 to 73000 */
};

struct mr_s3_configuration {
    struct mr_text bucket_name; /* BucketName, 3 to 63 characters */
    struct mr_text object_key_prefix; /* ObjectKeyPrefix, 1 to 928 characters */
    enum mr_s3_encryption_option encryption_option; /* EncryptionOption */
    struct mr_text kms_key_id; /* KmsKeyId, 1 to 2048 characters */
};

struct mr_schema {
    struct mr_partition_key_list composite_partition_key; /* CompositePartitionKey, at least 1 elements */
};

struct mr_table {
    struct mr_text arn; /* Arn */
    struct mr_text table_name; /* TableName, 3 to 256 bytes */
    struct mr_text database_name; /* DatabaseName, 3 to 256 bytes */
    enum mr_table_status table_status; /* TableStatus */
    struct mr_retention_properties *retention_properties; /* RetentionProperties */
    struct mr_double creation_time; /* CreationTime */
    struct mr_double last_updated_time; /* LastUpdatedTime */
    struct mr_magnetic_store_write_properties *magnetic_store_write_properties; /* MagneticStoreWriteProperties */
    struct mr_schema *schema; /* Schema */
};

struct mr_update_database_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
    struct mr_text kms_key_id; /* KmsKeyId, required, 1 to 2048 characters */
};

struct mr_update_database_response {
    struct mr_database *database; /* Database */
};

struct mr_update_table_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
    struct mr_text table_name; /* TableName, required, 3 to 256 bytes */
    struct mr_retention_properties *retention_properties; /* RetentionProperties */
    struct mr_magnetic_store_write_properties *magnetic_store_write_properties; /* MagneticStoreWriteProperties */
    struct mr_schema *schema; /* Schema */
};

struct mr_update_table_response {
    struct mr_table *table; /* Table */
};

struct mr_write_records_request {
    struct mr_text database_name; /* DatabaseName, required, 3 to 256 bytes */
    struct mr_text table_name; /* TableName, required, 3 to 256 bytes */
    struct mr_record *common_attributes; /* CommonAttributes */
    struct mr_record_list records; /* Records, required, 1 to 100 elements */
};

struct mr_write_records_response {
    struct mr_records_ingested *records_ingested; /* RecordsIngested */
};

struct mr_account_settings_notification_configuration {
    struct mr_sns_configuration *sns_configuration; /* SnsConfiguration */
    struct mr_text role_arn; /* RoleArn, required, 1 to 2048 characters */
};

struct mr_cancel_query_request {
    struct mr_text query_id; /* QueryId, required, 1 to 64 characters */
};

struct mr_cancel_query_response {
    struct mr_text cancellation_message; /* CancellationMessage */
};

struct mr_column_info {
    struct mr_text name; /* Name */
    struct mr_type *type; /* Type, required */
};

struct mr_create_scheduled_query_request {
    struct mr_text name; /* Name, required, 1 to 64 characters */
    struct mr_text query_string; /* QueryString, required, 1 to 262144 characters */
    struct mr_schedule_configuration *schedule_configuration; /* ScheduleConfiguration, required */
    struct mr_notification_configuration *notification_configuration; /* NotificationConfiguration, required */
    struct mr_target_configuration *target_configuration; /* TargetConfiguration */
    struct mr_text client_token; /* ClientToken, 32 to 128 characters */
    struct mr_text scheduled_query_execution_role_arn; /* ScheduledQueryExecutionRoleArn, required, 1 to 2048 characters */
    struct mr_tag_list tags; /* Tags, at most 200 elements */
    struct mr_text kms_key_id; /* KmsKeyId, 1 to 2048 characters */
    struct mr_error_report_configuration *error_report_configuration; /* ErrorReportConfiguration, required */
};

struct mr_create_scheduled_query_response {
    struct mr_text arn; /* Arn, required, 1 to 2048 characters */
};

struct mr_datum {
    struct mr_text scalar_value; /* ScalarValue */
    struct mr_time_series_data_point_list time_series_value; /* TimeSeriesValue */
    struct mr_datum_list array_value; /* ArrayValue */
    struct mr_row *row_value; /* RowValue */
    struct mr_bool null_value; /* NullValue */
};

struct mr_delete_scheduled_query_request {
    struct mr_text scheduled_query_arn; /* ScheduledQueryArn, required, 1 to 2048 characters */
};

struct mr_describe_account_settings_response {
    struct mr_int max_query_tcu; /* MaxQueryTCU */
    enum mr_query_pricing_model query_pricing_model; /* QueryPricingModel */
    struct mr_query_compute_response *query_compute; /* QueryCompute */
};

struct mr_describe_scheduled_query_request {
    struct mr_text scheduled_query_arn; /* ScheduledQueryArn, required, 1 to 2048 characters */
};

struct mr_describe_scheduled_query_response {
    struct mr_scheduled_query_description *scheduled_query; /* ScheduledQuery, required */
};

struct mr_query_dimension_mapping {
    struct mr_text name; /* Name, required */
    enum mr_dimension_value_type dimension_value_type; /* DimensionValueType, required */
};

struct mr_error_report_configuration {
    struct mr_query_s3_configuration *s3_configuration; /* S3Configuration, required */
};

struct mr_error_report_location {
    struct mr_s3_report_location *s3_report_location; /* S3ReportLocation */
};

struct mr_execute_scheduled_query_request {
    struct mr_text scheduled_query_arn; /* ScheduledQueryArn, required, 1 to 2048 characters */
    struct mr_double invocation_time; /* InvocationTime, required */
    struct mr_text client_token; /* ClientToken, 32 to 128 characters */
    struct mr_scheduled_query_insights *query_insights; /* QueryInsights */
};

struct mr_execution_stats {
    struct mr_int execution_time_in_millis; /* ExecutionTimeInMillis */
    struct mr_int data_writes; /* DataWrites */
    struct mr_int bytes_metered; /* BytesMetered */
    struct mr_int cumulative_bytes_scanned; /* CumulativeBytesScanned */
    struct mr_int records_ingested; /* RecordsIngested */
    struct mr_int query_result_rows; /* QueryResultRows */
};

struct mr_last_update {
    struct mr_int target_query_tcu; /* TargetQueryTCU */
    enum mr_last_update_status status; /* Status */
    struct mr_text status_message; /* StatusMessage */
};

struct mr_list_scheduled_queries_request {
    struct mr_int max_results; /* MaxResults, 1 to 1000 */
    struct mr_text next_token; /* NextToken */
};

struct mr_list_scheduled_queries_response {
    struct mr_scheduled_query_list scheduled_queries; /* ScheduledQueries, required */
    struct mr_text next_token; /* NextToken */
};

struct mr_query_mixed_measure_mapping {
    struct mr_text measure_name; /* MeasureName */
    struct mr_text source_column; /* SourceColumn */
    struct mr_text target_measure_name; /* TargetMeasureName; absent: MeasureName, else SourceColumn */
    enum mr_query_measure_value_type measure_value_type; /* MeasureValueType, required */
    struct mr_query_multi_measure_attribute_mapping_list multi_measure_attribute_mappings; /* MultiMeasureAttributeMappings, at least 1 elements */
};

struct mr_query_multi_measure_attribute_mapping {
    struct mr_text source_column; /* SourceColumn, required */
    struct mr_text target_multi_measure_attribute_name; /* TargetMultiMeasureAttributeName; absent: the source column */
    enum mr_query_scalar_measure_value_type measure_value_type; /* MeasureValueType, required */
};

struct mr_query_multi_measure_mappings {
    struct mr_text target_multi_measure_name; /* TargetMultiMeasureName */
    struct mr_query_multi_measure_attribute_mapping_list multi_measure_attribute_mappings; /* MultiMeasureAttributeMappings, required, at least 1 elements */
};

struct mr_notification_configuration {
    struct mr_sns_configuration *sns_configuration; /* SnsConfiguration, required */
};

struct mr_parameter_mapping {
    struct mr_text name; /* Name, required */
    struct mr_type *type; /* Type, required */
};

struct mr_prepare_query_request {
    struct mr_text query_string; /* QueryString, required, 1 to 262144 characters */
    struct mr_bool validate_only; /* ValidateOnly */
};

struct mr_prepare_query_response {
    struct mr_text query_string; /* QueryString, required, 1 to 262144 characters */
    struct mr_select_column_list columns; /* Columns, required */
    struct mr_parameter_mapping_list parameters; /* Parameters, required */
};

struct mr_provisioned_capacity_request {
    struct mr_int target_query_tcu; /* TargetQueryTCU, required */
    struct mr_account_settings_notification_configuration *notification_configuration; /* NotificationConfiguration */
};

struct mr_provisioned_capacity_response {
    struct mr_int active_query_tcu; /* ActiveQueryTCU */
    struct mr_account_settings_notification_configuration *notification_configuration; /* NotificationConfiguration */
    struct mr_last_update *last_update; /* LastUpdate */
};

struct mr_query_compute_request {
    enum mr_compute_mode compute_mode; /* ComputeMode */
    struct mr_provisioned_capacity_request *provisioned_capacity; /* ProvisionedCapacity */
};

struct mr_query_compute_response {
    enum mr_compute_mode compute_mode; /* ComputeMode */
    struct mr_provisioned_capacity_response *provisioned_capacity; /* ProvisionedCapacity */
};

struct mr_query_insights {
    enum mr_query_insights_mode mode; /* Mode, required */
};

struct mr_query_insights_response {
    struct mr_query_spatial_coverage *query_spatial_coverage; /* QuerySpatialCoverage */
    struct mr_query_temporal_range *query_temporal_range; /* QueryTemporalRange */
    struct mr_int query_table_count; /* QueryTableCount */
    struct mr_int output_rows; /* OutputRows */
    struct mr_int output_bytes; /* OutputBytes */
    struct mr_int unload_partition_count; /* UnloadPartitionCount */
    struct mr_int unload_written_rows; /* UnloadWrittenRows */
    struct mr_int unload_written_bytes; /* UnloadWrittenBytes */
};

struct mr_query_request {
    struct mr_text query_string; /* QueryString, required, 1 to 262144 characters */
    struct mr_text client_token; /* ClientToken, 32 to 128 characters */
    struct mr_text next_token; /* NextToken, 1 to 2048 characters */
    struct mr_int max_rows; /* MaxRows, 1 to 1000 */
    struct mr_query_insights *query_insights; /* QueryInsights */
};

struct mr_query_response {
    struct mr_text query_id; /* QueryId, required, 1 to 64 characters */
    struct mr_text next_token; /* NextToken, 1 to 2048 characters */
    struct mr_row_list rows; /* Rows, required */
    struct mr_column_info_list column_info; /* ColumnInfo, required */
    struct mr_query_status *query_status; /* QueryStatus */
    struct mr_query_insights_response *query_insights_response; /* QueryInsightsResponse */
};

struct mr_query_spatial_coverage {
    struct mr_query_spatial_coverage_max *max; /* Max */
};

struct mr_query_spatial_coverage_max {
    struct mr_double value; /* Value */
    struct mr_text table_arn; /* TableArn, 1 to 2048 characters */
    struct mr_texts partition_key; /* PartitionKey */
};

struct mr_query_status {
    struct mr_double progress_percentage; /* ProgressPercentage */
    struct mr_int cumulative_bytes_scanned; /* CumulativeBytesScanned */
    struct mr_int cumulative_bytes_metered; /* CumulativeBytesMetered */
};

struct mr_query_temporal_range {
    struct mr_query_temporal_range_max *max; /* Max */
};

struct mr_query_temporal_range_max {
    struct mr_int value; /* Value */
    struct mr_text table_arn; /* TableArn, 1 to 2048 characters */
};

struct mr_row {
    struct mr_datum_list data; /* Data, required */
};

struct mr_query_s3_configuration {
    struct mr_text bucket_name; /* BucketName, required, 3 to 63 characters */
    struct mr_text object_key_prefix; /* ObjectKeyPrefix, 1 to 896 characters */
    enum mr_s3_encryption_option encryption_option; /* EncryptionOption; absent: SSE_S3 */
};

struct mr_s3_report_location {
    struct mr_text bucket_name; /* BucketName, 3 to 63 characters */
    struct mr_text object_key; /* ObjectKey */
};

struct mr_schedule_configuration {
    struct mr_text schedule_expression; /* ScheduleExpression, required, 1 to 256 characters */
};

struct mr_scheduled_query {
    struct mr_text arn; /* Arn, required, 1 to 2048 characters */
    struct mr_text name; /* Name, required, 1 to 64 characters */
    struct mr_double creation_time; /* CreationTime */
    enum mr_scheduled_query_state state; /* State, required */
    struct mr_double previous_invocation_time; /* PreviousInvocationTime */
    struct mr_double next_invocation_time; /* NextInvocationTime */
    struct mr_error_report_configuration *error_report_configuration; /* ErrorReportConfiguration */
    struct mr_target_destination *target_destination; /* TargetDestination */
    enum mr_scheduled_query_run_status last_run_status; /* LastRunStatus */
};

struct mr_scheduled_query_description {
    struct mr_text arn; /* Arn, required, 1 to 2048 characters */
    struct mr_text name; /* Name, required, 1 to 64 characters */
    struct mr_text query_string; /* QueryString, required, 1 to 262144 characters */
    struct mr_double creation_time; /* CreationTime */
    enum mr_scheduled_query_state state; /* State, required */
    struct mr_double previous_invocation_time; /* PreviousInvocationTime */
    struct mr_double next_invocation_time; /* NextInvocationTime */
    struct mr_schedule_configuration *schedule_configuration; /* ScheduleConfiguration, required */
    struct mr_notification_configuration *notification_configuration; /* NotificationConfiguration, required */
    struct mr_target_configuration *target_configuration; /* TargetConfiguration */
    struct mr_text scheduled_query_execution_role_arn; /* ScheduledQueryExecutionRoleArn, 1 to 2048 characters */
    struct mr_text kms_key_id; /* KmsKeyId, 1 to 2048 characters */
    struct mr_error_report_configuration *error_report_configuration; /* ErrorReportConfiguration */
    struct mr_scheduled_query_run_summary *last_run_summary; /* LastRunSummary */
    struct mr_scheduled_query_run_summary_list recently_failed_runs; /* RecentlyFailedRuns */
};

struct mr_scheduled_query_insights {
    enum mr_scheduled_query_insights_mode mode; /* Mode, required */
};

struct mr_scheduled_query_insights_response {
    struct mr_query_spatial_coverage *query_spatial_coverage; /* QuerySpatialCoverage */
    struct mr_query_temporal_range *query_temporal_range; /* QueryTemporalRange */
    struct mr_int query_table_count; /* QueryTableCount */
    struct mr_int output_rows; /* OutputRows */
    struct mr_int output_bytes; /* OutputBytes */
};

struct mr_scheduled_query_run_summary {
    struct mr_double invocation_time; /* InvocationTime */
    struct mr_double trigger_time; /* TriggerTime */
    enum mr_scheduled_query_run_status run_status; /* RunStatus */
    struct mr_execution_stats *execution_stats; /* ExecutionStats */
    struct mr_scheduled_query_insights_response *query_insights_response; /* QueryInsightsResponse */
    struct mr_error_report_location *error_report_location; /* ErrorReportLocation */
    struct mr_text failure_reason; /* FailureReason */
};

struct mr_select_column {
    struct mr_text name; /* Name */
    struct mr_type *type; /* Type */
    struct mr_text database_name; /* DatabaseName */
    struct mr_text table_name; /* TableName */
    struct mr_bool aliased; /* Aliased */
};

struct mr_sns_configuration {
    struct mr_text topic_arn; /* TopicArn, required, 1 to 2048 characters */
};

struct mr_target_configuration {
    struct mr_timestream_configuration *timestream_configuration; /* TimestreamConfiguration, required */
};

struct mr_target_destination {
    struct mr_timestream_destination *timestream_destination; /* TimestreamDestination */
};

struct mr_time_series_data_point {
    struct mr_text time; /* Time, required */
    struct mr_datum *value; /* Value, required */
};

struct mr_timestream_configuration {
    struct mr_text database_name; /* DatabaseName, required */
    struct mr_text table_name; /* TableName, required */
    struct mr_text time_column; /* TimeColumn, required */
    struct mr_query_dimension_mapping_list dimension_mappings; /* DimensionMappings, required */
    struct mr_query_multi_measure_mappings *multi_measure_mappings; /* MultiMeasureMappings */
    struct mr_query_mixed_measure_mapping_list mixed_measure_mappings; /* MixedMeasureMappings, at least 1 elements */
    struct mr_text measure_name_column; /* MeasureNameColumn */
};

struct mr_timestream_destination {
    struct mr_text database_name; /* DatabaseName */
    struct mr_text table_name; /* TableName */
};

struct mr_type {
    enum mr_scalar_type scalar_type; /* ScalarType */
    struct mr_column_info *array_column_info; /* ArrayColumnInfo */
    struct mr_column_info *time_series_measure_value_column_info; /* TimeSeriesMeasureValueColumnInfo */
    struct mr_column_info_list row_column_info; /* RowColumnInfo */
};

struct mr_update_account_settings_request {
    struct mr_int max_query_tcu; /* MaxQueryTCU */
    enum mr_query_pricing_model query_pricing_model; /* QueryPricingModel */
    struct mr_query_compute_request *query_compute; /* QueryCompute */
};

struct mr_update_account_settings_response {
    struct mr_int max_query_tcu; /* MaxQueryTCU */
    enum mr_query_pricing_model query_pricing_model; /* QueryPricingModel */
    struct mr_query_compute_response *query_compute; /* QueryCompute */
};

struct mr_update_scheduled_query_request {
    struct mr_text scheduled_query_arn; /* ScheduledQueryArn, required, 1 to 2048 characters */
    enum mr_scheduled_query_state state; /* State, required */
};

/* New operations get new numbers; a number never changes. */
enum mr_operation {
    MR_OP_NONE = 0,
    MR_OP_CREATE_DATABASE = 1,
    MR_OP_DESCRIBE_DATABASE = 2,
    MR_OP_LIST_DATABASES = 3,
    MR_OP_UPDATE_DATABASE = 4,
    MR_OP_DELETE_DATABASE = 5,
    MR_OP_CREATE_TABLE = 6,
    MR_OP_DESCRIBE_TABLE = 7,
    MR_OP_LIST_TABLES = 8,
    MR_OP_UPDATE_TABLE = 9,
    MR_OP_DELETE_TABLE = 10,
    MR_OP_WRITE_RECORDS = 11,
    MR_OP_DESCRIBE_ENDPOINTS = 12,
    MR_OP_CREATE_BATCH_LOAD_TASK = 13,
    MR_OP_DESCRIBE_BATCH_LOAD_TASK = 14,
    MR_OP_LIST_BATCH_LOAD_TASKS = 15,
    MR_OP_RESUME_BATCH_LOAD_TASK = 16,
    MR_OP_LIST_TAGS_FOR_RESOURCE = 17,
    MR_OP_TAG_RESOURCE = 18,
    MR_OP_UNTAG_RESOURCE = 19,
    MR_OP_QUERY = 20,
    MR_OP_CANCEL_QUERY = 21,
    MR_OP_PREPARE_QUERY = 22,
    MR_OP_CREATE_SCHEDULED_QUERY = 23,
    MR_OP_DELETE_SCHEDULED_QUERY = 24,
    MR_OP_DESCRIBE_SCHEDULED_QUERY = 25,
    MR_OP_EXECUTE_SCHEDULED_QUERY = 26,
    MR_OP_LIST_SCHEDULED_QUERIES = 27,
    MR_OP_UPDATE_SCHEDULED_QUERY = 28,
    MR_OP_DESCRIBE_ACCOUNT_SETTINGS = 29,
    MR_OP_UPDATE_ACCOUNT_SETTINGS = 30,
    MR_OP_QUERY_DESCRIBE_ENDPOINTS = 101, /* at the Query API */
    MR_OP_QUERY_LIST_TAGS_FOR_RESOURCE = 102, /* at the Query API */
    MR_OP_QUERY_TAG_RESOURCE = 103, /* at the Query API */
    MR_OP_QUERY_UNTAG_RESOURCE = 104, /* at the Query API */
};

/* The Write API. */
/* CreateDatabase: Makes an empty database. */
MR_API int mr_create_database(struct mr_client *client, const struct mr_create_database_request *request, struct mr_create_database_response **response, struct mr_fault *fault);
/* DescribeDatabase: Shows one database. */
MR_API int mr_describe_database(struct mr_client *client, const struct mr_describe_database_request *request, struct mr_describe_database_response **response, struct mr_fault *fault);
/* ListDatabases: Lists databases, a page at a time. */
MR_API int mr_list_databases(struct mr_client *client, const struct mr_list_databases_request *request, struct mr_list_databases_response **response, struct mr_fault *fault);
/* UpdateDatabase: Changes the KMS key of a database. */
MR_API int mr_update_database(struct mr_client *client, const struct mr_update_database_request *request, struct mr_update_database_response **response, struct mr_fault *fault);
/* DeleteDatabase: Removes a database that has no tables. */
MR_API int mr_delete_database(struct mr_client *client, const struct mr_delete_database_request *request, struct mr_fault *fault);
/* CreateTable: Makes a table in a database. */
MR_API int mr_create_table(struct mr_client *client, const struct mr_create_table_request *request, struct mr_create_table_response **response, struct mr_fault *fault);
/* DescribeTable: Shows one table. */
MR_API int mr_describe_table(struct mr_client *client, const struct mr_describe_table_request *request, struct mr_describe_table_response **response, struct mr_fault *fault);
/* ListTables: Lists tables of one database or of all, a page at a time. */
MR_API int mr_list_tables(struct mr_client *client, const struct mr_list_tables_request *request, struct mr_list_tables_response **response, struct mr_fault *fault);
/* UpdateTable: Changes retention, magnetic writes or the enforcement of the partition key. */
MR_API int mr_update_table(struct mr_client *client, const struct mr_update_table_request *request, struct mr_update_table_response **response, struct mr_fault *fault);
/* DeleteTable: Removes a table and its data. */
MR_API int mr_delete_table(struct mr_client *client, const struct mr_delete_table_request *request, struct mr_fault *fault);
/* WriteRecords: Writes 1 to 100 records. */
MR_API int mr_write_records(struct mr_client *client, const struct mr_write_records_request *request, struct mr_write_records_response **response, struct mr_fault *fault);
/* DescribeEndpoints: Says which address to send the other operations to. */
MR_API int mr_describe_endpoints(struct mr_client *client, struct mr_describe_endpoints_response **response, struct mr_fault *fault);
/* CreateBatchLoadTask: Starts a task that loads CSV objects into a table. */
MR_API int mr_create_batch_load_task(struct mr_client *client, const struct mr_create_batch_load_task_request *request, struct mr_create_batch_load_task_response **response, struct mr_fault *fault);
/* DescribeBatchLoadTask: Shows configuration, state and progress of a load. */
MR_API int mr_describe_batch_load_task(struct mr_client *client, const struct mr_describe_batch_load_task_request *request, struct mr_describe_batch_load_task_response **response, struct mr_fault *fault);
/* ListBatchLoadTasks: Lists loads, a page at a time. */
MR_API int mr_list_batch_load_tasks(struct mr_client *client, const struct mr_list_batch_load_tasks_request *request, struct mr_list_batch_load_tasks_response **response, struct mr_fault *fault);
/* ResumeBatchLoadTask: Continues a load that stopped. */
MR_API int mr_resume_batch_load_task(struct mr_client *client, const struct mr_resume_batch_load_task_request *request, struct mr_fault *fault);
/* ListTagsForResource: Lists the tags of a database, table or scheduled query. */
MR_API int mr_list_tags_for_resource(struct mr_client *client, const struct mr_list_tags_for_resource_request *request, struct mr_list_tags_for_resource_response **response, struct mr_fault *fault);
/* TagResource: Adds or replaces tags. */
MR_API int mr_tag_resource(struct mr_client *client, const struct mr_tag_resource_request *request, struct mr_fault *fault);
/* UntagResource: Takes tags away. */
MR_API int mr_untag_resource(struct mr_client *client, const struct mr_untag_resource_request *request, struct mr_fault *fault);

/* The Query API. */
/* DescribeEndpoints: Says which address to send the other operations to. */
MR_API int mr_query_describe_endpoints(struct mr_client *client, struct mr_describe_endpoints_response **response, struct mr_fault *fault);
/* ListTagsForResource: Lists the tags of a database, table or scheduled query. */
MR_API int mr_query_list_tags_for_resource(struct mr_client *client, const struct mr_list_tags_for_resource_request *request, struct mr_list_tags_for_resource_response **response, struct mr_fault *fault);
/* TagResource: Adds or replaces tags. */
MR_API int mr_query_tag_resource(struct mr_client *client, const struct mr_tag_resource_request *request, struct mr_fault *fault);
/* UntagResource: Takes tags away. */
MR_API int mr_query_untag_resource(struct mr_client *client, const struct mr_untag_resource_request *request, struct mr_fault *fault);
/* Query: Runs SQL, or fetches the next page of a running query. */
MR_API int mr_query(struct mr_client *client, const struct mr_query_request *request, struct mr_query_response **response, struct mr_fault *fault);
/* CancelQuery: Stops a running query. */
MR_API int mr_cancel_query(struct mr_client *client, const struct mr_cancel_query_request *request, struct mr_cancel_query_response **response, struct mr_fault *fault);
/* PrepareQuery: Checks SQL and names its columns and parameters. */
MR_API int mr_prepare_query(struct mr_client *client, const struct mr_prepare_query_request *request, struct mr_prepare_query_response **response, struct mr_fault *fault);
/* CreateScheduledQuery: Makes a query that runs on a schedule. */
MR_API int mr_create_scheduled_query(struct mr_client *client, const struct mr_create_scheduled_query_request *request, struct mr_create_scheduled_query_response **response, struct mr_fault *fault);
/* DeleteScheduledQuery: Removes a scheduled query. */
MR_API int mr_delete_scheduled_query(struct mr_client *client, const struct mr_delete_scheduled_query_request *request, struct mr_fault *fault);
/* DescribeScheduledQuery: Shows a scheduled query and its latest runs. */
MR_API int mr_describe_scheduled_query(struct mr_client *client, const struct mr_describe_scheduled_query_request *request, struct mr_describe_scheduled_query_response **response, struct mr_fault *fault);
/* ExecuteScheduledQuery: Runs a scheduled query once, now. */
MR_API int mr_execute_scheduled_query(struct mr_client *client, const struct mr_execute_scheduled_query_request *request, struct mr_fault *fault);
/* ListScheduledQueries: Lists scheduled queries, a page at a time. */
MR_API int mr_list_scheduled_queries(struct mr_client *client, const struct mr_list_scheduled_queries_request *request, struct mr_list_scheduled_queries_response **response, struct mr_fault *fault);
/* UpdateScheduledQuery: Enables or disables a scheduled query. */
MR_API int mr_update_scheduled_query(struct mr_client *client, const struct mr_update_scheduled_query_request *request, struct mr_fault *fault);
/* DescribeAccountSettings: Shows the limits and the pricing model of queries. */
MR_API int mr_describe_account_settings(struct mr_client *client, struct mr_describe_account_settings_response **response, struct mr_fault *fault);
/* UpdateAccountSettings: Changes the limits and the pricing model of queries. */
MR_API int mr_update_account_settings(struct mr_client *client, const struct mr_update_account_settings_request *request, struct mr_update_account_settings_response **response, struct mr_fault *fault);
/* clang-format on */
/* end generated */

/* ---- what a client can do besides ---- */

/* "ListDatabases"; NULL for a number that is none. */
MR_API const char *mr_operation_name(enum mr_operation operation);
/* By the API's name or by that of the function without mr_: "ListDatabases", "list_databases". MR_OP_NONE for
 * none. */
MR_API enum mr_operation mr_operation_find(const char *name);

/* Whether its answers come in pages: every list operation and Query. */
MR_API bool mr_can_paginate(enum mr_operation operation);

/* The pages of an operation, one after another. The request is copied. An iterator belongs to one thread at a
 * time.
 *
 *     struct mr_paginator *pages;
 *     const struct mr_list_tables_response *page;
 *     if (mr_paginator_open(client, MR_OP_LIST_TABLES, &request, &pages, &fault) == 0)
 *         while ((page = mr_paginator_next(pages, &fault)) != NULL)
 *             ...
 *     mr_paginator_close(pages);
 */
struct mr_paginator;
MR_API int mr_paginator_open(struct mr_client *client, enum mr_operation operation, const void *request,
                             struct mr_paginator **out, struct mr_fault *fault);
/* The next page, valid until the next call; NULL at the end and on failure (fault->error tells them apart;
 * after a failure the same call tries that page again). Pages of Query without rows are passed on too: their
 * status shows progress. A service that hands out the token it was given is MR_ERR_ANSWER, not an endless
 * loop. */
MR_API const void *mr_paginator_next(struct mr_paginator *pages, struct mr_fault *fault);
MR_API void mr_paginator_close(struct mr_paginator *pages);

/* The API defines no waiters: the list is empty, and waiting for anything is MR_ERR_ARGUMENT with a message
 * that says so. They stand here so that code carried over from another SDK meets an answer. */
MR_API size_t mr_waiter_names(const char *const **names);
MR_API int mr_wait_for(struct mr_client *client, const char *waiter, struct mr_fault *fault);

/* A presigned URL, good for expires_s (1 to 604800) seconds. The holder sends an empty POST to it with the
 * headers Content-Type: application/x-amz-json-1.0 and X-Amz-Target: Timestream_20181101.<Operation>. The
 * request's members travel in the query string: texts, enums, numbers and booleans; a list or a struct is
 * MR_ERR_ARGUMENT. Free *url with mr_response_free. No discovery: the URL names the custom or the regional
 * endpoint. */
MR_API int mr_presign(struct mr_client *client, enum mr_operation operation, const void *request,
                      unsigned expires_s, char **url, struct mr_fault *fault);

/* ---- rows of a query, typed ---- */

enum mr_cell_kind {
    MR_CELL_NULL,
    MR_CELL_BOOLEAN,   /* boolean */
    MR_CELL_INT,       /* integer: INTEGER and BIGINT */
    MR_CELL_DOUBLE,    /* number; NaN and infinities included */
    MR_CELL_TEXT,      /* text: VARCHAR, and any scalar that does not fit the C form of its type */
    MR_CELL_TIMESTAMP, /* integer: nanoseconds since 1970-01-01T00:00:00Z */
    MR_CELL_DATE,      /* integer: days since 1970-01-01 */
    MR_CELL_TIME,      /* integer: nanoseconds since midnight */
    MR_CELL_INTERVAL,  /* integer: nanoseconds (INTERVAL_DAY_TO_SECOND) */
    MR_CELL_MONTHS,    /* integer: months (INTERVAL_YEAR_TO_MONTH) */
    MR_CELL_ARRAY,     /* items: the elements */
    MR_CELL_ROW,       /* items: the fields */
    MR_CELL_SERIES,    /* points */
};

struct mr_cell;
struct mr_point;

struct mr_cells {
    const struct mr_cell *at;
    size_t len;
};

struct mr_points {
    const struct mr_point *at;
    size_t len;
};

struct mr_cell {
    enum mr_cell_kind kind;
    struct mr_text text; /* of every scalar, as it came */
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct mr_cells items;
        struct mr_points points;
    } v;
};

struct mr_point {
    int64_t time_ns;
    struct mr_cell value;
};

/* A result, row by row; pages are fetched as needed, and empty ones waited out. One thread at a time. */
struct mr_rows;

/* Starts the query and waits for its columns. */
MR_API int mr_rows_open(struct mr_client *client, const struct mr_query_request *request,
                        struct mr_rows **out, struct mr_fault *fault);
MR_API size_t mr_rows_width(const struct mr_rows *rows);
MR_API const struct mr_column_info *mr_rows_column(const struct mr_rows *rows, size_t column);
/* 1: there is a row; 0: there are no more; negative: enum mr_err. */
MR_API int mr_rows_next(struct mr_rows *rows, struct mr_fault *fault);
/* A cell of the row, valid until the next mr_rows_next; NULL beyond the width. */
MR_API const struct mr_cell *mr_rows_cell(const struct mr_rows *rows, size_t column);
MR_API const char *mr_rows_query_id(const struct mr_rows *rows);
/* Of the latest page; NULL when the service sent none. */
MR_API const struct mr_query_status *mr_rows_status(const struct mr_rows *rows);
/* Tells the service to stop the query. */
MR_API int mr_rows_cancel(struct mr_rows *rows, struct mr_fault *fault);
MR_API void mr_rows_close(struct mr_rows *rows);

/* ---- a writer that batches ---- */

/* Records of one table, from any thread, sent in the background in requests as large as the API allows, with
 * what the records of a request share written once. A record ends in one of three ways: the service took it,
 * on_reject was told why not, or - with a spool - it lies on disk and is sent later, by this process or the
 * next.
 *
 * Delivery is at least once: after a lost answer or a crash a record is sent again. The API makes that
 * harmless for records with the same version and value.
 *
 * Throttling, 5xx, lost connections and missing credentials are waited out with growing pauses, for
 * give_up_ms. Any other refusal of a whole request is traced to the records that cause it by splitting the
 * request, so that one bad record costs nobody else.
 */
struct mr_writer;

struct mr_rejection {
    const char *code;   /* "RejectedRecordsException", "ValidationException", ... */
    const char *reason; /* the service's words about this record, or about the request that held only it */
    int64_t existing_version; /* 0 when the service named none */
    const char *request_id;
};

enum mr_spool_mode {
    MR_SPOOL_OUTAGE =
        0, /* batches go to disk when they cannot be sent; what is in memory dies with the process */
    MR_SPOOL_ALWAYS =
        1, /* every batch is on disk before it is sent: what mr_writer_flush covered survives a crash */
};

struct mr_writer_options {
    size_t size; /* MR_WRITER_OPTIONS_INIT */
    const char *database;
    const char *table;
    int batch_records;   /* 1 to 100; 100 */
    int linger_ms;       /* how long a batch waits to become full; 1000 */
    int senders;         /* threads that send; 2 */
    size_t memory_bytes; /* of all records held in memory; 16 MiB */
    int block_ms;        /* how long append waits for room: 0 for not at all, -1 (as INIT says) for ever */
    int give_up_ms;      /* how long a batch is retried, or waits for the end of an outage, before its records
                            are rejected; 0: for ever */
    const char *spool_dir; /* an existing directory of this writer alone; NULL: no spool */
    enum mr_spool_mode spool_mode;
    uint64_t spool_bytes; /* the most it may take on disk; 1 GiB */
    /* Called by the senders, one call at a time. The record is as it was appended and valid during the call;
     * its texts do not end in a NUL. Must not call mr_writer_flush or mr_writer_close, and mr_writer_append
     * only with block_ms 0. */
    void (*on_reject)(void *arg, const struct mr_record *record, const struct mr_rejection *why);
    void *arg;
};

#define MR_WRITER_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        sizeof(struct mr_writer_options), NULL, NULL, 0, 0, 0, 0, -1, 0, NULL, MR_SPOOL_OUTAGE, 0, NULL,     \
            NULL                                                                                             \
    }

struct mr_writer_stats {
    uint64_t appended;  /* records */
    uint64_t written;   /* the service took */
    uint64_t rejected;  /* on_reject was told */
    uint64_t spooled;   /* went to disk, ever */
    uint64_t recovered; /* found on disk at open */
    uint64_t damaged;  /* stretches of the spool that could not be read; what was behind them in their file is
                          kept  aside in *.bad */
    uint64_t requests; /* WriteRecords calls that ended */
    uint64_t retries;  /* beyond the first attempt of each */
    size_t memory_bytes;
    uint64_t spool_bytes;
};

/* Opens, takes the spool directory's lock, and starts sending what an earlier process left there. */
MR_API int mr_writer_open(struct mr_client *client, const struct mr_writer_options *options,
                          struct mr_writer **out, struct mr_fault *fault);
/* Copies the record. From any thread. MR_ERR_FULL: no room within block_ms. MR_ERR_ARGUMENT: the record could
 * be part of no valid request, alone or with others (not UTF-8, an enum value that is none, larger than 64
 * KiB). */
MR_API int mr_writer_append(struct mr_writer *writer, const struct mr_record *record, struct mr_fault *fault);
/* Waits until every record appended before the call has ended in one of the three ways. -1: for ever. */
MR_API int mr_writer_flush(struct mr_writer *writer, int timeout_ms, struct mr_fault *fault);
MR_API void mr_writer_stats(const struct mr_writer *writer, struct mr_writer_stats *out);
/* Flushes for at most timeout_ms, then ends. What is still in memory goes to the spool, or, without one, to
 * on_reject with the code "NotSent". The writer is gone in any case; the result says whether everything
 * appended was taken, refused by the service, or spooled (0), or not (MR_ERR_TIMEOUT). */
MR_API int mr_writer_close(struct mr_writer *writer, int timeout_ms, struct mr_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
