/* WriteRecords: validated and decided at once, answered when the log says it is on disk (write-api reference
 * 5). Records that only files can judge take the same way on a worker's thread. */
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
    const struct model_write_records_request *input;
    struct catalog_table info;
    struct store_table *table; /* NULL: none yet */
    struct ingest_batch batch;
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

static int table_is_gone(struct pending *p)
{
    return model_fail(&p->fault, MODEL_NOT_FOUND, p->req->arena, "The table " MR_STR_FMT " does not exist.",
                      MR_STR_ARG(p->input->table_name));
}

static int find_table(struct pending *p, struct catalog_table *table)
{
    bool no_database = false;
    int status = catalog_table_get(p->server->options.context.catalog, p->input->database_name,
                                   p->input->table_name, p->req->arena, table, &no_database);
    if (status != MR_ENOENT)
        return status;
    if (no_database)
        return model_fail(&p->fault, MODEL_NOT_FOUND, p->req->arena,
                          "The database " MR_STR_FMT " does not exist.", MR_STR_ARG(p->input->database_name));
    return table_is_gone(p);
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

static void report_one(void *ctx, struct mr_str reason, struct mr_str record)
{
    const struct pending *p = ctx;
    const struct api_reports *reports = &p->server->options.context.reports;
    reports->add(reports->ctx, &p->info, reason, record);
}

/* What the answer does not tell goes where the table says. */
static void report(struct pending *p)
{
    if (p->server->options.context.reports.ctx == NULL || p->info.rejected_bucket.ptr == NULL)
        return;
    if (ingest_report(&p->batch, p->req->arena, report_one, p) != MR_OK)
        mr_log(MR_LOG_WARN, "conflicts_not_reported", "id=%s detail=\"out of memory\"", p->req->id);
}

/* The records are on their way to the disk: from here on the answer may only tell what became of them. */
static void answer(struct pending *p)
{
    struct ingest_counts counts;
    enum ingest_conflicts conflicts =
        p->server->options.context.magnetic_conflicts_later ? INGEST_CONFLICTS_LATER : INGEST_CONFLICTS_NOW;
    if (ingest_answer(&p->batch, conflicts, p->req->arena, &p->body, &counts, &p->fault) == MR_ENOMEM)
        p->fault = (struct model_fault){MODEL_INTERNAL, MR_STR("The server is out of memory."), MR_STR_NULL};
    else
        count(&p->server->metrics, &counts, p->batch.metered_bytes);
    log_unreported(p->req, counts.unreported);
    if (conflicts == INGEST_CONFLICTS_LATER && counts.unreported != 0)
        report(p);
    finish_one(p);
}

/* Nothing was queued: the refusal is the whole answer. */
static void refuse(struct pending *p, int status, const struct mr_error *err)
{
    if (p->table != NULL)
        store_table_unref(p->table);
    if (status == MR_ENOENT) /* dropped since it was looked up */
        table_is_gone(p);
    if (status == MR_EDENIED)
        model_fail(&p->fault, MODEL_ACCESS_DENIED, p->req->arena,
                   "The data of the database " MR_STR_FMT " cannot be encrypted: %s.",
                   MR_STR_ARG(p->input->database_name), err->text);
    if (p->fault.error != MODEL_NO_ERROR)
        api_respond_fault(p->server, p->req, &p->fault);
    else
        api_respond_status(p->server, p->req, status, err);
}

typedef int append_fn(struct store_table *table, struct store_record *records, size_t count,
                      struct store_commit *commit, struct mr_error *err);

static void append_waiting(struct api_server *s, struct api_request *req);

/* Answers the request, or hands it to the log and the one who finishes it, or, when the store must read files
 * to judge its records, to a thread that may wait for them. */
static void append(struct pending *p, append_fn *call)
{
    struct mr_error err = MR_ERROR_INIT;
    p->remaining = 2;
    int status = call(p->table, p->batch.records, p->batch.count, &p->commit, &err);
    if (status == MR_OK) {
        answer(p);
        return;
    }
    if (status == MR_EAGAIN) {
        p->req->state = p;
        status = api_defer(p->server, p->req, append_waiting);
        if (status == MR_OK)
            return;
        err = (struct mr_error)MR_ERROR_INIT; /* of the append; the queue has no text */
    }
    refuse(p, status, &err);
}

static void append_waiting(struct api_server *s, struct api_request *req)
{
    MR_UNUSED(s);
    append(req->state, store_append_wait);
}

/* What an append needs: the table and the batch. */
static int prepare(struct pending *p, struct mr_error *err)
{
    const struct api_context *api = &p->server->options.context;
    struct mr_arena *arena = p->req->arena;
    int status = find_table(p, &p->info);
    if (status == MR_OK)
        status = ingest_build(p->input, &p->info, mr_clock_wall(api->clock), arena, &p->batch, &p->fault);
    if (status == MR_OK)
        status = store_table_ref(api->store, p->info.database_id, p->info.id, &p->table, err);
    return status;
}

static bool drop(void *ctx)
{
    struct pending *p = ctx;
    return api_chaos_rejects(p->server->options.chaos);
}

/* Chaos: some records are refused on purpose. */
static void drop_some(struct pending *p)
{
    size_t before = p->batch.nrejections;
    if (p->server->options.chaos == NULL || !api_chaos_on(p->server->options.chaos))
        return;
    ingest_drop(&p->batch, drop, p, MR_STR("Rejected on purpose (chaos)."));
    if (p->batch.nrejections != before)
        api_note_chaos(p->req, CHAOS_REJECT);
}

void api_write_records(struct api_server *s, struct api_request *req, const void *input)
{
    struct mr_error err = MR_ERROR_INIT;
    struct pending *p = MR_ARENA_NEW(req->arena, struct pending);
    if (p == NULL) {
        api_respond_status(s, req, MR_ENOMEM, NULL);
        return;
    }
    *p = (struct pending){.commit.done = durable, .server = s, .req = req, .input = input};
    int status = prepare(p, &err);
    if (status == MR_OK)
        drop_some(p);
    if (status == MR_OK)
        append(p, store_append);
    else
        refuse(p, status, &err);
}
