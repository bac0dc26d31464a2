/* ListTagsForResource: write-api reference 3.14, query-api reference 3.13. By key, ascending. The Write API
 * knows no pages here and the Query API does, so there is a page only when MaxResults asks for one. */
#include "api/arn.h"
#include "api/page.h"
#include "api/show.h"

/* First tag behind the key that a page ended with, which may have been removed since. */
static size_t first_after(const struct mr_pair *tags, size_t n, struct mr_str after)
{
    size_t i = 0;
    if (after.ptr != NULL)
        while (i < n && mr_str_cmp(tags[i].name, after) <= 0)
            i++;
    return i;
}

int api_list_tags_for_resource(struct api_call *call, struct model_fault *fault)
{
    const struct model_list_tags_for_resource_request *in = call->input;
    const struct api_page_scope scope = {"ListTagsForResource", in->resource_arn};
    struct model_list_tags_for_resource_response out = {0};
    struct mr_pair *tags = NULL;
    struct mr_str path, after;
    size_t n = 0;
    int rc = api_tagged_resource(call, in->resource_arn, &path, fault);
    if (rc == MR_OK)
        rc = api_page_after(call, scope, in->next_token, &after, fault);
    if (rc == MR_OK)
        rc = catalog_tags_list(call->api->catalog, path, call->arena, &tags, &n);
    if (rc == MR_ENOENT)
        return api_no_such_resource(call, fault);
    if (rc != MR_OK)
        return rc;
    size_t from = first_after(tags, n, after), left = n - from;
    size_t take = in->max_results.set && (size_t)in->max_results.v < left ? (size_t)in->max_results.v : left;
    out.tags.at = MR_ARENA_ARRAY(call->arena, take + 1, struct model_tag);
    out.tags.len = take;
    out.tags.set = true;
    if (out.tags.at == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < take; i++)
        out.tags.at[i] = (struct model_tag){.key = tags[from + i].name, .value = tags[from + i].value};
    if (take < left) {
        out.next_token = api_page_token(call, scope, tags[from + take - 1].name);
        if (out.next_token.ptr == NULL)
            return MR_ENOMEM;
    }
    model_encode(&model_shape_list_tags_for_resource_response, &out, call->out);
    return MR_OK;
}
