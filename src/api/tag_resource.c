/* TagResource: write-api reference 3.15, query-api reference 3.11. Adds or overwrites by key; the others
 * stay. */
#include "api/arn.h"
#include "api/show.h"
#include "api/tag_rules.h"

int api_tag_resource(struct api_call *call, struct model_fault *fault)
{
    const struct model_tag_resource_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_pair *tags = NULL;
    struct mr_str path;
    int rc = api_tagged_resource(call, in->resource_arn, &path, fault);
    if (rc == MR_OK)
        rc = api_tags_check(call, &in->tags, &tags, fault);
    if (rc != MR_OK)
        return rc;
    rc = catalog_tags_put(call->api->catalog, path, tags, in->tags.len, API_TAGS_PER_RESOURCE, &err);
    if (rc == MR_ENOENT)
        return api_no_such_resource(call, fault);
    if (rc == MR_ELIMIT)
        return api_tags_too_many(call, fault);
    if (rc != MR_OK)
        return api_catalog_failed("TagResource", rc, &err);
    mr_buf_str(call->out, MR_STR("{}"));
    return MR_OK;
}
