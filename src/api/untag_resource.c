/* UntagResource: write-api reference 3.16, query-api reference 3.12. Keys that are not there are ignored. */
#include "api/arn.h"
#include "api/show.h"

int api_untag_resource(struct api_call *call, struct model_fault *fault)
{
    const struct model_untag_resource_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_str path;
    int rc = api_tagged_resource(call, in->resource_arn, &path, fault);
    if (rc != MR_OK)
        return rc;
    rc = catalog_tags_remove(call->api->catalog, path, in->tag_keys.at, in->tag_keys.len, &err);
    if (rc == MR_ENOENT)
        return api_no_such_resource(call, fault);
    if (rc != MR_OK)
        return api_catalog_failed("UntagResource", rc, &err);
    mr_buf_str(call->out, MR_STR("{}"));
    return MR_OK;
}
