#include "client/client.h"

struct mr_paginator {
    struct mr_client *client;
    enum client_api api;
    const struct model_operation *op;
    struct mr_arena arena; /* of the request */
    void *request;         /* a deep copy; its NextToken moves on */
    void *page;            /* the current response block, or NULL */
    bool done;
};

static const struct model_member *token_of(const struct model_shape *shape)
{
    return model_member_find(shape->index, MR_STR("NextToken"));
}

bool mr_can_paginate(enum mr_operation operation)
{
    enum client_api api;
    const struct model_operation *op = client_operation(operation, &api);
    return op != NULL && token_of(op->input) != NULL && token_of(op->output) != NULL;
}

/* By way of JSON: the one copying of shapes that is there already. */
static int copy_request(struct mr_paginator *p, const void *request, struct outcome *o)
{
    struct mr_buf text = MR_BUF_INIT;
    struct model_fault fault = {0};
    int rc = client_check(p->op->input, request, o);
    if (rc != 0)
        return rc;
    model_encode(p->op->input, request, &text);
    int status = mr_buf_ok(&text)
                     ? model_decode_response(p->op->input, mr_buf_view(&text), &p->arena, &p->request, &fault)
                     : MR_ENOMEM;
    mr_buf_release(&text);
    return status == MR_OK
               ? 0
               : client_outcome_status(o, status, MR_ERR_ARGUMENT, "The request cannot be copied.");
}

int mr_paginator_open(struct mr_client *client, enum mr_operation operation, const void *request,
                      struct mr_paginator **out, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    *out = NULL;
    struct mr_paginator *p = NULL;
    if (client == NULL || !mr_can_paginate(operation)) {
        client_outcome_fail(&o, MR_ERR_ARGUMENT, "This operation has no pages.");
    } else if ((p = mr_calloc(1, sizeof *p)) == NULL) {
        client_outcome_fail(&o, MR_ERR_MEMORY, "Out of memory.");
    } else {
        p->client = client;
        p->op = client_operation(operation, &p->api);
        if (copy_request(p, request, &o) == 0)
            *out = p;
        else
            mr_paginator_close(p);
    }
    return client_outcome_deliver(&o, fault);
}

static int fetch(struct mr_paginator *p, struct outcome *o)
{
    const struct model_member *in = token_of(p->op->input), *out = token_of(p->op->output);
    struct mr_str *token = (struct mr_str *)(void *)((char *)p->request + in->offset), next;
    void *page = NULL;
    int rc = client_try(p->client, p->api, p->op, p->request, &page, o);
    if (rc != 0)
        return rc;
    memcpy(&next, (char *)page + out->offset, sizeof next);
    if (next.len > 0 && mr_str_eq(next, *token)) {
        mr_response_free(page);
        return client_outcome_fail(o, MR_ERR_ANSWER, "The service handed out the page token it was given.");
    }
    mr_response_free(p->page);
    p->page = page; /* holds the token for the next request */
    *token = next.len > 0 ? next : MR_STR_NULL;
    p->done = next.len == 0;
    return 0;
}

const void *mr_paginator_next(struct mr_paginator *p, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    const void *page = NULL;
    if (p == NULL)
        client_outcome_fail(&o, MR_ERR_ARGUMENT, "No paginator given.");
    else if (!p->done && fetch(p, &o) == 0)
        page = p->page;
    client_outcome_deliver(&o, fault);
    return page;
}

void mr_paginator_close(struct mr_paginator *p)
{
    if (p == NULL)
        return;
    mr_response_free(p->page);
    mr_arena_release(&p->arena);
    mr_free(p);
}

/* ---- waiters ---- */

size_t mr_waiter_names(const char *const **names)
{
    static const char *const none[] = {NULL};
    if (names != NULL)
        *names = none;
    return 0;
}

int mr_wait_for(struct mr_client *client, const char *waiter, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    (void)client;
    client_outcome_fail(&o, MR_ERR_ARGUMENT, "The Timestream API defines no waiters, \"%.100s\" neither.",
                        waiter != NULL ? waiter : "");
    return client_outcome_deliver(&o, fault);
}
