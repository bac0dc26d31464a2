#include "api/authorize.h"

#include "api/arn.h"
#include "api/condition.h"

#include "base/log.h"
#include "policy/users.h"

enum resource {
    EVERYTHING,        /* "*" */
    A_DATABASE,        /* its ARN; without a name that of all databases */
    A_TABLE,           /* its ARN */
    TABLE_OR_DATABASE, /* either will do: older pages of the guide name the database (reference 2.4) */
    AN_ARN,            /* the one in the request */
};

/* What an input names. */
struct target {
    enum resource resource;
    struct mr_str database, table, arn;
    const struct model_tag_list *tags;
    const struct model_texts *tag_keys;
};

#define INPUT(shape) const struct model_##shape##_request *in = input

static struct target write_target(enum model_op op, const void *input)
{
    switch (op) {
    case MODEL_OP_CREATE_DATABASE: {
        INPUT(create_database);
        return (struct target){A_DATABASE, .database = in->database_name, .tags = &in->tags};
    }
    case MODEL_OP_DESCRIBE_DATABASE: {
        INPUT(describe_database);
        return (struct target){A_DATABASE, .database = in->database_name};
    }
    case MODEL_OP_UPDATE_DATABASE: {
        INPUT(update_database);
        return (struct target){A_DATABASE, .database = in->database_name};
    }
    case MODEL_OP_DELETE_DATABASE: {
        INPUT(delete_database);
        return (struct target){A_DATABASE, .database = in->database_name};
    }
    case MODEL_OP_LIST_TABLES: {
        INPUT(list_tables);
        return (struct target){A_DATABASE, .database = in->database_name};
    }
    case MODEL_OP_CREATE_TABLE: {
        INPUT(create_table);
        return (struct target){TABLE_OR_DATABASE, .database = in->database_name, .table = in->table_name,
                               .tags = &in->tags};
    }
    case MODEL_OP_DESCRIBE_TABLE: {
        INPUT(describe_table);
        return (struct target){A_TABLE, .database = in->database_name, .table = in->table_name};
    }
    case MODEL_OP_UPDATE_TABLE: {
        INPUT(update_table);
        return (struct target){TABLE_OR_DATABASE, .database = in->database_name, .table = in->table_name};
    }
    case MODEL_OP_DELETE_TABLE: {
        INPUT(delete_table);
        return (struct target){TABLE_OR_DATABASE, .database = in->database_name, .table = in->table_name};
    }
    case MODEL_OP_WRITE_RECORDS: {
        INPUT(write_records);
        return (struct target){A_TABLE, .database = in->database_name, .table = in->table_name};
    }
    default:
        return (struct target){.resource = EVERYTHING};
    }
}

/* Operations that are not listed touch everything: a new one can be allowed on "*" only until it has its row.
 */
static struct target target_of(enum model_op op, const void *input)
{
    switch (op) {
    case MODEL_OP_TAG_RESOURCE: {
        INPUT(tag_resource);
        return (struct target){AN_ARN, .arn = in->resource_arn, .tags = &in->tags};
    }
    case MODEL_OP_UNTAG_RESOURCE: {
        INPUT(untag_resource);
        return (struct target){AN_ARN, .arn = in->resource_arn, .tag_keys = &in->tag_keys};
    }
    case MODEL_OP_LIST_TAGS_FOR_RESOURCE: {
        INPUT(list_tags_for_resource);
        return (struct target){AN_ARN, .arn = in->resource_arn};
    }
    default:
        return write_target(op, input);
    }
}

static struct mr_str database_arn(struct api_call *call, struct mr_str name)
{
    return api_database_arn(call, name.ptr != NULL ? name : MR_STR("*"));
}

/* A verdict, and whether the session policy gave it. */
struct judgement {
    struct policy_verdict by;
    bool session;
};

/* The policies of the user or role; what they allow, the session policy must allow too. */
static int judge(struct api_call *call, const struct policy_request *request, struct judgement *out)
{
    *out = (struct judgement){{.decision = POLICY_ALLOWED}, false};
    int status = MR_OK;
    if (call->user != NULL)
        status = policy_evaluate(call->user->policies, call->user->npolicies, request, &out->by);
    if (status != MR_OK || call->session_policy == NULL || out->by.decision == POLICY_FORBIDDEN)
        return status;
    struct policy_verdict narrowed;
    status = policy_evaluate(&call->session_policy, 1, request, &narrowed);
    if (narrowed.decision == POLICY_FORBIDDEN ||
        (narrowed.decision == POLICY_DENIED && out->by.decision == POLICY_ALLOWED))
        *out = (struct judgement){narrowed, true};
    return status;
}

/* Nothing to ask. */
static bool may_everything(const struct api_call *call)
{
    return call->user == NULL && call->session_policy == NULL;
}

int api_decide(struct api_call *call, struct mr_str action, struct mr_str resource, enum policy_decision *out)
{
    struct api_ask question = {call, resource, NULL, NULL};
    const struct policy_request request = {action, resource, api_condition_value, &question};
    struct judgement verdict;
    int status = judge(call, &request, &verdict);
    *out = verdict.by.decision;
    return status;
}

/* AccessDeniedException in AWS's words. */
static int refuse(struct api_call *call, struct mr_str action, struct mr_str resource,
                  const struct judgement *verdict, struct model_fault *fault)
{
    bool forbidden = verdict->by.decision == POLICY_FORBIDDEN;
    const char *kind = verdict->session ? "session" : "identity-based";
    mr_log(MR_LOG_INFO, "access_denied",
           "id=%s user=\"" MR_STR_FMT "\" action=" MR_STR_FMT " policy=\"" MR_STR_FMT "\" sid=\"" MR_STR_FMT
           "\"",
           call->id, MR_STR_ARG(call->user_name), MR_STR_ARG(action), MR_STR_ARG(verdict->by.policy),
           MR_STR_ARG(verdict->by.sid));
    if (forbidden)
        return model_fail(fault, MODEL_ACCESS_DENIED, call->arena,
                          "User: " MR_STR_FMT " is not authorized to perform: " MR_STR_FMT
                          " on resource: " MR_STR_FMT " with an explicit deny in %s %s policy",
                          MR_STR_ARG(call->principal_arn), MR_STR_ARG(action), MR_STR_ARG(resource),
                          verdict->session ? "a" : "an", kind);
    return model_fail(fault, MODEL_ACCESS_DENIED, call->arena,
                      "User: " MR_STR_FMT " is not authorized to perform: " MR_STR_FMT
                      " on resource: " MR_STR_FMT " because no %s policy allows the " MR_STR_FMT " action",
                      MR_STR_ARG(call->principal_arn), MR_STR_ARG(action), MR_STR_ARG(resource), kind,
                      MR_STR_ARG(action));
}

/* An action on a resource, or on one of two; a Deny for either counts. Without a fault to set: MR_EDENIED. */
static int ask(struct api_call *call, struct mr_str operation, struct mr_str resource, struct mr_str other,
               const struct target *t, struct model_fault *fault)
{
    struct mr_str action = mr_arena_printf(call->arena, "timestream:" MR_STR_FMT, MR_STR_ARG(operation));
    const struct mr_str resources[] = {resource, other};
    struct judgement verdict, worst = {0};
    bool allowed = false;
    if (action.ptr == NULL || resource.ptr == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < (other.ptr != NULL ? 2 : 1); i++) {
        struct api_ask question = {call, resources[i], t->tags, t->tag_keys};
        const struct policy_request request = {action, resources[i], api_condition_value, &question};
        int status = judge(call, &request, &verdict);
        if (status != MR_OK)
            return status;
        allowed = allowed || verdict.by.decision == POLICY_ALLOWED;
        if (verdict.by.decision == POLICY_FORBIDDEN || i == 0)
            worst = verdict;
    }
    if (allowed && worst.by.decision != POLICY_FORBIDDEN)
        return MR_OK;
    if (fault == NULL)
        return MR_EDENIED;
    return refuse(call, action, resource, &worst, fault);
}

int api_authorize(struct api_call *call, enum model_op op, struct model_fault *fault)
{
    if (may_everything(call) || op == MODEL_OP_QUERY)
        return MR_OK;
    struct target t = target_of(op, call->input);
    struct mr_str resource = MR_STR("*"), other = MR_STR_NULL;
    if (t.resource == AN_ARN)
        resource = t.arn;
    else if (t.resource == A_DATABASE)
        resource = database_arn(call, t.database);
    else if (t.resource != EVERYTHING)
        resource = api_table_arn(call, t.database, t.table);
    if (t.resource == TABLE_OR_DATABASE)
        other = database_arn(call, t.database);
    if (t.resource == TABLE_OR_DATABASE && other.ptr == NULL)
        return MR_ENOMEM;
    int status = ask(call, model_operation(op)->name, resource, other, &t, fault);
    bool tags = op != MODEL_OP_TAG_RESOURCE && t.tags != NULL && t.tags->len != 0;
    if (status == MR_OK && tags)
        status = ask(call, MR_STR("TagResource"), resource, MR_STR_NULL, &t, fault);
    return status;
}

int api_query_may(void *ctx, const char *action, struct mr_str database, struct mr_str table,
                  struct model_fault *fault)
{
    struct api_call *call = ctx;
    const struct target none = {0};
    struct mr_str name = mr_str_of(action), resource = MR_STR("*");
    if (may_everything(call))
        return MR_OK;
    if (table.ptr != NULL)
        resource = api_table_arn(call, database, table);
    else if (mr_str_eq(name, MR_STR("ListTables")))
        resource = database_arn(call, database);
    return ask(call, name, resource, MR_STR_NULL, &none, fault);
}
