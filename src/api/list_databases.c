/* ListDatabases: write-api reference 3.3. By name, ascending by bytes; pages of 20 unless asked for less. */
#include "api/page.h"
#include "api/show.h"

#define PAGE_DEFAULT 20

int api_list_databases(struct api_call *call, struct model_fault *fault)
{
    const struct model_list_databases_request *in = call->input;
    const struct api_page_scope scope = {"ListDatabases", MR_STR_NULL};
    size_t limit = in->max_results.set ? (size_t)in->max_results.v : PAGE_DEFAULT, n = 0;
    struct model_list_databases_response out = {0};
    struct catalog_database *rows = NULL;
    struct mr_str after;
    bool more = false;
    int rc = api_page_after(call, scope, in->next_token, &after, fault);
    if (rc == MR_OK)
        rc = catalog_database_list(call->api->catalog, after, limit, call->arena, &rows, &n, &more);
    if (rc != MR_OK)
        return rc;
    out.databases.at = MR_ARENA_ARRAY(call->arena, n + 1, struct model_database);
    out.databases.len = n;
    out.databases.set = true;
    if (out.databases.at == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (api_show_database(call, &rows[i], &out.databases.at[i]) != MR_OK)
            return MR_ENOMEM;
    if (more) {
        out.next_token = api_page_token(call, scope, rows[n - 1].name);
        if (out.next_token.ptr == NULL)
            return MR_ENOMEM;
    }
    model_encode(&model_shape_list_databases_response, &out, call->out);
    return MR_OK;
}
