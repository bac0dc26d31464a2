/* The table of what is built. An operation of the model that is not here answers UnknownOperationException
 * and stands on docs/compatibility.md. WriteRecords has no action: it is answered by the log thread
 * (write_records.c). */
#include "api/dispatch.h"
#include "api/query_actions.h"

static api_action *const actions[MODEL_OP_COUNT] = {
    [MODEL_OP_CREATE_DATABASE] = api_create_database,
    [MODEL_OP_DESCRIBE_DATABASE] = api_describe_database,
    [MODEL_OP_LIST_DATABASES] = api_list_databases,
    [MODEL_OP_UPDATE_DATABASE] = api_update_database,
    [MODEL_OP_DELETE_DATABASE] = api_delete_database,
    [MODEL_OP_CREATE_TABLE] = api_create_table,
    [MODEL_OP_DESCRIBE_TABLE] = api_describe_table,
    [MODEL_OP_LIST_TABLES] = api_list_tables,
    [MODEL_OP_UPDATE_TABLE] = api_update_table,
    [MODEL_OP_DELETE_TABLE] = api_delete_table,
    [MODEL_OP_TAG_RESOURCE] = api_tag_resource,
    [MODEL_OP_UNTAG_RESOURCE] = api_untag_resource,
    [MODEL_OP_LIST_TAGS_FOR_RESOURCE] = api_list_tags_for_resource,
    [MODEL_OP_DESCRIBE_ENDPOINTS] = api_describe_endpoints,
    [MODEL_OP_DESCRIBE_ACCOUNT_SETTINGS] = api_describe_account_settings,
    [MODEL_OP_UPDATE_ACCOUNT_SETTINGS] = api_update_account_settings,
    [MODEL_OP_QUERY] = api_query,
    [MODEL_OP_CANCEL_QUERY] = api_cancel_query,
    [MODEL_OP_PREPARE_QUERY] = api_prepare_query,
};

bool api_operation_is_built(int operation)
{
    return operation == MODEL_OP_WRITE_RECORDS || actions[operation] != NULL;
}

api_action *api_operation_action(int operation)
{
    return actions[operation];
}
