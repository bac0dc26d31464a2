/* ListTables: write-api reference 3.8. Of one database, or of all when none is named; ascending by (database,
 * table). A page token holds that pair as "database/table": names hold no slash. */
#include "api/page.h"
#include "api/show.h"

#define PAGE_DEFAULT 20

static int fill(struct api_call *call, struct api_page_scope scope, const struct catalog_table *rows,
                size_t n, bool more, struct model_list_tables_response *out)
{
    out->tables.at = MR_ARENA_ARRAY(call->arena, n + 1, struct model_table);
    out->tables.len = n;
    out->tables.set = true;
    if (out->tables.at == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (api_show_table(call, &rows[i], &out->tables.at[i]) != MR_OK)
            return MR_ENOMEM;
    if (!more)
        return MR_OK;
    struct mr_str last = mr_arena_printf(call->arena, MR_STR_FMT "/" MR_STR_FMT,
                                         MR_STR_ARG(rows[n - 1].database), MR_STR_ARG(rows[n - 1].name));
    if (last.ptr != NULL)
        out->next_token = api_page_token(call, scope, last);
    return out->next_token.ptr == NULL ? MR_ENOMEM : MR_OK;
}

int api_list_tables(struct api_call *call, struct model_fault *fault)
{
    const struct model_list_tables_request *in = call->input;
    const struct api_page_scope scope = {"ListTables", in->database_name};
    size_t limit = in->max_results.set ? (size_t)in->max_results.v : PAGE_DEFAULT, n = 0;
    struct model_list_tables_response out = {0};
    struct catalog_table *rows = NULL;
    struct mr_str after, after_database = MR_STR_NULL, after_table = MR_STR_NULL;
    bool more = false;
    int rc = api_page_after(call, scope, in->next_token, &after, fault);
    if (rc == MR_OK && after.ptr != NULL) {
        size_t slash = mr_str_find(after, '/', 0);
        after_database = mr_str_slice(after, 0, slash);
        after_table = mr_str_slice(after, slash + 1, after.len);
    }
    if (rc == MR_OK)
        rc = catalog_table_list(call->api->catalog, in->database_name, after_database, after_table, limit,
                                call->arena, &rows, &n, &more);
    if (rc == MR_ENOENT)
        return api_no_such_database(call, in->database_name, fault);
    if (rc == MR_OK)
        rc = fill(call, scope, rows, n, more, &out);
    if (rc == MR_OK)
        model_encode(&model_shape_list_tables_response, &out, call->out);
    return rc;
}
