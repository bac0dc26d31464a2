#include "client/client.h"

#include "client/cell.h"

struct mr_rows {
    struct mr_client *client;
    struct mr_paginator *pages;
    const struct model_query_response *page; /* the latest; NULL before the first */
    struct mr_arena kept;                    /* columns and query id: they outlive the page they came with */
    struct model_column_info_list columns;
    const char *query_id;
    size_t next;           /* row of the page */
    bool done;             /* there are no more pages */
    struct mr_arena arena; /* of the current row */
    struct mr_cell *cells;
    bool row; /* there is a current row */
};

/* The columns live as long as the result, the page only until the next one. */
static int keep(struct mr_rows *r, struct outcome *o)
{
    struct model_query_response only = {.query_id = r->page->query_id, .column_info = r->page->column_info};
    struct mr_buf text = MR_BUF_INIT;
    struct model_fault fault = {0};
    void *copy = NULL;
    if (client_check(&model_shape_query_response, &only, o) != 0)
        return o->error;
    model_encode(&model_shape_query_response, &only, &text);
    int status = mr_buf_ok(&text) ? model_decode_response(&model_shape_query_response, mr_buf_view(&text),
                                                          &r->kept, &copy, &fault)
                                  : MR_ENOMEM;
    mr_buf_release(&text);
    if (status != MR_OK)
        return client_outcome_status(o, status, MR_ERR_ANSWER, "The columns of the result make no sense.");
    r->columns = ((struct model_query_response *)copy)->column_info;
    r->query_id = ((struct model_query_response *)copy)->query_id.ptr;
    return 0;
}

/* 1: a page; 0: the end; negative: the fault has it, and the next call tries again. */
static int turn(struct mr_rows *r, struct mr_fault *fault)
{
    struct mr_fault own = MR_FAULT_INIT;
    struct mr_fault *f = fault != NULL ? fault : &own;
    const void *page = mr_paginator_next(r->pages, f);
    int rc = page != NULL ? 1 : f->error;
    if (page != NULL) {
        r->page = page;
        r->next = 0;
    }
    r->done = rc == 0;
    mr_fault_clear(&own);
    return rc;
}

static int open_rows(struct mr_rows *r, struct mr_client *client, const struct mr_query_request *request,
                     struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    r->client = client;
    int rc = mr_paginator_open(client, MR_OP_QUERY, request, &r->pages, fault);
    while (rc == 0 && !r->done) {
        int page = turn(r, fault);
        if (page < 0)
            return page;
        if (page > 0 && (r->page->column_info.len > 0 || r->page->rows.len > 0))
            break;
    }
    if (rc != 0)
        return rc;
    rc = keep(r, &o);
    if (rc != 0)
        return client_outcome_deliver(&o, fault);
    client_outcome_release(&o);
    return 0;
}

int mr_rows_open(struct mr_client *client, const struct mr_query_request *request, struct mr_rows **out,
                 struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    *out = NULL;
    struct mr_rows *r = mr_calloc(1, sizeof *r);
    if (r == NULL) {
        client_outcome_fail(&o, MR_ERR_MEMORY, "Out of memory.");
        return client_outcome_deliver(&o, fault);
    }
    int rc = open_rows(r, client, request, fault);
    if (rc == 0)
        *out = r;
    else
        mr_rows_close(r);
    return rc;
}

size_t mr_rows_width(const struct mr_rows *rows)
{
    return rows->columns.len;
}

const struct mr_column_info *mr_rows_column(const struct mr_rows *rows, size_t column)
{
    return column < rows->columns.len ? (const struct mr_column_info *)(const void *)&rows->columns.at[column]
                                      : NULL;
}

static int read_row(struct mr_rows *r, const struct model_row *row, struct outcome *o)
{
    mr_arena_reset(&r->arena);
    r->cells = MR_ARENA_ARRAY(&r->arena, r->columns.len, struct mr_cell);
    int status = r->cells == NULL ? MR_ENOMEM : row->data.len == r->columns.len ? MR_OK : MR_EINVAL;
    for (size_t i = 0; status == MR_OK && i < row->data.len; i++)
        status = client_cell_read(r->columns.at[i].type, &row->data.at[i], &r->arena, &r->cells[i]);
    return status == MR_OK ? 0
                           : client_outcome_status(o, status, MR_ERR_ANSWER,
                                                   "A row does not fit the columns of the result.");
}

int mr_rows_next(struct mr_rows *r, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    r->row = false;
    while (!r->done && r->next >= r->page->rows.len) {
        int page = turn(r, fault);
        if (page < 0)
            return page;
    }
    if (r->done)
        return client_outcome_deliver(&o, fault);
    int rc = read_row(r, &r->page->rows.at[r->next++], &o);
    r->row = rc == 0;
    client_outcome_deliver(&o, fault);
    return rc == 0 ? 1 : rc;
}

const struct mr_cell *mr_rows_cell(const struct mr_rows *r, size_t column)
{
    return r->row && column < r->columns.len ? &r->cells[column] : NULL;
}

const char *mr_rows_query_id(const struct mr_rows *r)
{
    return r->query_id != NULL ? r->query_id : "";
}

const struct mr_query_status *mr_rows_status(const struct mr_rows *r)
{
    return r->page != NULL ? (const struct mr_query_status *)(const void *)r->page->query_status : NULL;
}

int mr_rows_cancel(struct mr_rows *r, struct mr_fault *fault)
{
    struct mr_cancel_query_request request = {.query_id = mr_text(mr_rows_query_id(r))};
    return mr_cancel_query(r->client, &request, NULL, fault);
}

void mr_rows_close(struct mr_rows *r)
{
    if (r == NULL)
        return;
    mr_paginator_close(r->pages);
    mr_arena_release(&r->kept);
    mr_arena_release(&r->arena);
    mr_free(r);
}
