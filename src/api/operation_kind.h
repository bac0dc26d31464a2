/* api/operation_kind.h - what kind of call an operation is, for the audit log and the limits. */
#ifndef MR_API_OPERATION_KIND_H
#define MR_API_OPERATION_KIND_H

#include "model/model.h"

/* Calls about records and not about tables: CloudTrail's data events. */
static inline bool api_operation_is_data(enum model_op op)
{
    return op == MODEL_OP_WRITE_RECORDS || op == MODEL_OP_QUERY || op == MODEL_OP_CANCEL_QUERY ||
           op == MODEL_OP_PREPARE_QUERY || op == MODEL_OP_DESCRIBE_ENDPOINTS;
}

/* Changes nothing. */
static inline bool api_operation_reads(enum model_op op)
{
    struct mr_str name = model_operation(op)->name;
    return mr_str_starts(name, MR_STR("Describe")) || mr_str_starts(name, MR_STR("List")) ||
           op == MODEL_OP_QUERY || op == MODEL_OP_PREPARE_QUERY;
}

#endif
