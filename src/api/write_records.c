/* WriteRecords: validated and decided at once, answered when the log says it is on disk (write-api reference
 * 5). */
#include "api/dispatch.h"

#include "base/log.h"
#include "ingest/ingest.h"

#include <inttypes.h>

/* An answer being made on one thread while the log makes the data durable on another: whoever is second sends
 * it. Lives in the request's arena. */
struct pending {
    struct store_commit commit; /* first: done() gets its address */
    struct api_server *server;
    struct api_request *req;
    struct store_table *table;
    struct model_fault fault; /* error 0: the 200 in body */
    struct mr_buf body;
    int remaining; /* of the two */
};

static void finish_one(struct pending *p)
{
    if (__atomic_sub_fetch(&p->remaining, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    store_table_unref(p->table);
    if (p->fault.error != MODEL_NO_ERROR) {
        mr_buf_release(&p->body);
        api_respond_fault(p->server, p->req, &p->fault);
        return;
    }
    struct mr_buf body = p->body;
    api_respond_ok(p->server, p->req, &body);
}

static void durable(struct store_commit *commit)
{
    finish_one((struct pending *)commit);
}

static int find_table(const struct api_context *api, struct api_request *req,
                      const struct model_write_records_request *input, struct catalog_table *table,
                      struct model_fault *fault)
{
    bool no_database = false;
    int status = catalog_table_get(api->catalog, input->database_name, input->table_name, req->arena, table,
                                   &no_database);
    if (status != MR_ENOENT)
        return status;
    if (no_database)
        return model_fail(fault, MODEL_NOT_FOUND, req->arena, "The database " MR_STR_FMT " does not exist.",
                          MR_STR_ARG(input->database_name));
    return model_fail(fault, MODEL_NOT_FOUND, req->arena, "The table " MR_STR_FMT " does not exist.",
                      MR_STR_ARG(input->table_name));
}

/* The one trace of conflicts that the answer does not tell: how many, never what. */
static void log_unreported(const struct api_request *req, uint64_t n)
{
    if (n != 0)
        mr_log(MR_LOG_INFO, "conflicts_not_reported", "id=%s records=%" PRIu64, req->id, n);
}

static void count(struct api_metrics *m, const struct ingest_counts *counts, uint64_t metered)
{
    api_metrics_add(&m->records_memory, counts->memory);
    api_metrics_add(&m->records_magnetic, counts->magnetic);
    api_metrics_add(&m->records_rejected, counts->rejected);
    api_metrics_add(&m->metered_bytes,
                    (metered + 1023) / 1024 * 1024); /* reference 5.13: whole KiB a request */
    api_metrics_add(&m->records_unreported, counts->unreported);
}

/* Appends and writes the answer; after MR_OK the request belongs to whoever finishes it. */
static int commit(struct pending *p, struct ingest_batch *batch, struct mr_error *err)
{
    struct ingest_counts counts;
    enum ingest_conflicts conflicts =
        p->server->options.context.magnetic_conflicts_later ? INGEST_CONFLICTS_LATER : INGEST_CONFLICTS_NOW;
    p->remaining = 2;
    int status = store_append(p->table, batch->records, batch->count, &p->commit, err);
    if (status != MR_OK)
        return status;
    /* The records are on their way to the disk: from here on the answer may only tell what became of them. */
    if (ingest_answer(batch, conflicts, p->req->arena, &p->body, &counts, &p->fault) == MR_ENOMEM)
        p->fault = (struct model_fault){MODEL_INTERNAL, MR_STR("The server is out of memory."), MR_STR_NULL};
    else
        count(&p->server->metrics, &counts, batch->metered_bytes);
    log_unreported(p->req, counts.unreported);
    finish_one(p);
    return MR_OK;
}

static int write_batch(struct api_server *s, struct api_request *req,
                       const struct model_write_records_request *input, struct model_fault *fault,
                       struct mr_error *err)
{
    const struct api_context *api = &s->options.context;
    struct catalog_table table;
    struct ingest_batch batch;
    int status = find_table(api, req, input, &table, fault);
    if (status != MR_OK)
        return status;
    status = ingest_build(input, &table, mr_clock_wall(api->clock), req->arena, &batch, fault);
    if (status != MR_OK)
        return status;
    struct pending *p = MR_ARENA_NEW(req->arena, struct pending);
    if (p == NULL)
        return MR_ENOMEM;
    p->server = s;
    p->req = req;
    p->commit.done = durable;
    status = store_table_ref(api->store, table.database_id, table.id, &p->table, err);
    if (status == MR_OK && (status = commit(p, &batch, err)) != MR_OK)
        store_table_unref(p->table);
    if (status == MR_ENOENT) /* dropped since it was looked up */
        return model_fail(fault, MODEL_NOT_FOUND, req->arena, "The table " MR_STR_FMT " does not exist.",
                          MR_STR_ARG(input->table_name));
    return status;
}

void api_write_records(struct api_server *s, struct api_request *req, const void *input)
{
    struct model_fault fault = {0};
    struct mr_error err = MR_ERROR_INIT;
    int status = write_batch(s, req, input, &fault, &err);
    if (status == MR_OK)
        return; /* answered, or will be */
    if (fault.error != MODEL_NO_ERROR)
        api_respond_fault(s, req, &fault);
    else
        api_respond_status(s, req, status, &err);
}
