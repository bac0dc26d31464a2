/* api/arn.h - resource names: making them, and reading the one a tag operation is given (write-api
 * reference 4.1). */
#ifndef MR_API_ARN_H
#define MR_API_ARN_H

#include "api/action.h"

/* In the arena, with the region of the request; MR_STR_NULL when memory ran out. */
struct mr_str api_database_arn(struct api_call *call, struct mr_str database);
struct mr_str api_table_arn(struct api_call *call, struct mr_str database, struct mr_str table);

/* The parts of "arn:partition:service:region:account:resource"; the resource may hold further colons. */
struct api_arn {
    struct mr_str partition, service, region, account, resource;
};
/* false when there are not six parts, or one of them (region and account too) is empty or malformed. */
bool api_arn_split(struct mr_str text, struct api_arn *out);

/* The catalog's path of a tagged resource. ValidationException for what is no ARN of this service,
 * ResourceNotFoundException for another partition, region or account (section 13). */
int api_tagged_resource(struct api_call *call, struct mr_str arn, struct mr_str *path,
                        struct model_fault *fault);
/* The same exception for a resource that the catalog does not have. */
int api_no_such_resource(struct api_call *call, struct model_fault *fault);

#endif
