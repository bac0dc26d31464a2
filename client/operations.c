/* The functions of both APIs. Which arguments one has follows from its shapes: a request or a response
 * without members is left out. */
#include "client/client.h"

/* clang-format off */

/* function, MODEL_OP_, request, response, API */
#define BOTH_WAYS(f, op, in, out, api) \
    int mr_##f(struct mr_client *client, const struct mr_##in *request, struct mr_##out **response, struct mr_fault *fault) \
    { \
        void *block = NULL; \
        int rc = client_call(client, api, model_operation(MODEL_OP_##op), request, response != NULL ? &block : NULL, fault); \
        if (response != NULL) \
            *response = block; \
        return rc; \
    }
#define ASK(f, op, out, api) \
    int mr_##f(struct mr_client *client, struct mr_##out **response, struct mr_fault *fault) \
    { \
        void *block = NULL; \
        int rc = client_call(client, api, model_operation(MODEL_OP_##op), NULL, response != NULL ? &block : NULL, fault); \
        if (response != NULL) \
            *response = block; \
        return rc; \
    }
#define TELL(f, op, in, api) \
    int mr_##f(struct mr_client *client, const struct mr_##in *request, struct mr_fault *fault) \
    { \
        return client_call(client, api, model_operation(MODEL_OP_##op), request, NULL, fault); \
    }

#define OF(f, op, api) BOTH_WAYS(f, op, f##_request, f##_response, api)

OF(create_database, CREATE_DATABASE, CLIENT_WRITE)
OF(describe_database, DESCRIBE_DATABASE, CLIENT_WRITE)
OF(list_databases, LIST_DATABASES, CLIENT_WRITE)
OF(update_database, UPDATE_DATABASE, CLIENT_WRITE)
TELL(delete_database, DELETE_DATABASE, delete_database_request, CLIENT_WRITE)
OF(create_table, CREATE_TABLE, CLIENT_WRITE)
OF(describe_table, DESCRIBE_TABLE, CLIENT_WRITE)
OF(list_tables, LIST_TABLES, CLIENT_WRITE)
OF(update_table, UPDATE_TABLE, CLIENT_WRITE)
TELL(delete_table, DELETE_TABLE, delete_table_request, CLIENT_WRITE)
OF(write_records, WRITE_RECORDS, CLIENT_WRITE)
ASK(describe_endpoints, DESCRIBE_ENDPOINTS, describe_endpoints_response, CLIENT_WRITE)
OF(create_batch_load_task, CREATE_BATCH_LOAD_TASK, CLIENT_WRITE)
OF(describe_batch_load_task, DESCRIBE_BATCH_LOAD_TASK, CLIENT_WRITE)
OF(list_batch_load_tasks, LIST_BATCH_LOAD_TASKS, CLIENT_WRITE)
TELL(resume_batch_load_task, RESUME_BATCH_LOAD_TASK, resume_batch_load_task_request, CLIENT_WRITE)
OF(list_tags_for_resource, LIST_TAGS_FOR_RESOURCE, CLIENT_WRITE)
TELL(tag_resource, TAG_RESOURCE, tag_resource_request, CLIENT_WRITE)
TELL(untag_resource, UNTAG_RESOURCE, untag_resource_request, CLIENT_WRITE)

OF(query, QUERY, CLIENT_QUERY)
OF(cancel_query, CANCEL_QUERY, CLIENT_QUERY)
OF(prepare_query, PREPARE_QUERY, CLIENT_QUERY)
ASK(query_describe_endpoints, DESCRIBE_ENDPOINTS, describe_endpoints_response, CLIENT_QUERY)
OF(create_scheduled_query, CREATE_SCHEDULED_QUERY, CLIENT_QUERY)
TELL(delete_scheduled_query, DELETE_SCHEDULED_QUERY, delete_scheduled_query_request, CLIENT_QUERY)
OF(describe_scheduled_query, DESCRIBE_SCHEDULED_QUERY, CLIENT_QUERY)
TELL(execute_scheduled_query, EXECUTE_SCHEDULED_QUERY, execute_scheduled_query_request, CLIENT_QUERY)
OF(list_scheduled_queries, LIST_SCHEDULED_QUERIES, CLIENT_QUERY)
TELL(update_scheduled_query, UPDATE_SCHEDULED_QUERY, update_scheduled_query_request, CLIENT_QUERY)
BOTH_WAYS(query_list_tags_for_resource, LIST_TAGS_FOR_RESOURCE, list_tags_for_resource_request, list_tags_for_resource_response, CLIENT_QUERY)
TELL(query_tag_resource, TAG_RESOURCE, tag_resource_request, CLIENT_QUERY)
TELL(query_untag_resource, UNTAG_RESOURCE, untag_resource_request, CLIENT_QUERY)
ASK(describe_account_settings, DESCRIBE_ACCOUNT_SETTINGS, describe_account_settings_response, CLIENT_QUERY)
OF(update_account_settings, UPDATE_ACCOUNT_SETTINGS, CLIENT_QUERY)

/* ---- by number and by name ---- */

static const struct operation_entry {
    enum mr_operation number;
    enum model_op op;
    enum client_api api;
    const char *prefix; /* of the function's name, behind mr_ */
} entries[] = {
#define OPERATION(name, wire, in, ...) \
    {MR_OP_##name, MODEL_OP_##name, MODEL_API_##in == MODEL_API_QUERY ? CLIENT_QUERY : CLIENT_WRITE, ""},
#include "model/operations.def"
    {MR_OP_QUERY_DESCRIBE_ENDPOINTS, MODEL_OP_DESCRIBE_ENDPOINTS, CLIENT_QUERY, "query_"},
    {MR_OP_QUERY_LIST_TAGS_FOR_RESOURCE, MODEL_OP_LIST_TAGS_FOR_RESOURCE, CLIENT_QUERY, "query_"},
    {MR_OP_QUERY_TAG_RESOURCE, MODEL_OP_TAG_RESOURCE, CLIENT_QUERY, "query_"},
    {MR_OP_QUERY_UNTAG_RESOURCE, MODEL_OP_UNTAG_RESOURCE, CLIENT_QUERY, "query_"},
};
/* clang-format on */

const struct model_operation *client_operation(enum mr_operation operation, enum client_api *api)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(entries); i++)
        if (entries[i].number == operation) {
            *api = entries[i].api;
            return model_operation(entries[i].op);
        }
    return NULL;
}

const char *mr_operation_name(enum mr_operation operation)
{
    enum client_api api;
    const struct model_operation *op = client_operation(operation, &api);
    return op != NULL ? op->name.ptr : NULL;
}

enum mr_operation mr_operation_find(const char *name)
{
    struct mr_str text = mr_str_of(name);
    for (size_t i = 0; i < MR_ARRAY_LEN(entries); i++) {
        const struct model_operation *op = model_operation(entries[i].op);
        struct mr_str prefix = mr_str_of(entries[i].prefix), input = op->input->c_name;
        struct mr_str snake = mr_str_slice(input, 0, input.len - strlen("_request"));
        if (prefix.len == 0 && mr_str_eq(text, op->name))
            return entries[i].number;
        if (mr_str_starts(text, prefix) && mr_str_eq(mr_str_slice(text, prefix.len, text.len), snake))
            return entries[i].number;
    }
    return MR_OP_NONE;
}
