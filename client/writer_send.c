/* From packed records to WriteRecords and to what became of each. */
#include "client/writer.h"

/* What the records of one request need. */
struct sending {
    struct mr_writer *w;
    struct mr_str payload;
    unsigned records;
    uint64_t *ended;
    struct send_totals *totals;
    enum retry_class *class_;
    struct outcome *why;
};

/* Unpacks those from `from` to `to` that have not ended; positions[] tells which ones they are. */
static int unpack_range(const struct sending *s, unsigned from, unsigned to, struct mr_arena *arena,
                        struct model_record *records, unsigned *positions, size_t *n)
{
    struct mr_cursor c = mr_cursor_of(s->payload.ptr, s->payload.len);
    *n = 0;
    for (unsigned i = 0; i < to; i++) {
        int rc = client_batch_unpack(&c, arena, &records[*n]);
        if (rc != MR_OK)
            return rc;
        if (i < from || batch_ended(s->ended, i))
            continue;
        positions[(*n)++] = i;
    }
    return to < s->records || c.left == 0 ? MR_OK : MR_ECORRUPT;
}

static void reject(const struct sending *s, unsigned position, const struct mr_rejection *why)
{
    struct mr_writer *w = s->w;
    if (w->options.on_reject != NULL) {
        struct mr_arena arena = MR_ARENA_INIT;
        struct mr_cursor c = mr_cursor_of(s->payload.ptr, s->payload.len);
        struct model_record record;
        int rc = MR_OK;
        for (unsigned i = 0; rc == MR_OK && i <= position; i++) {
            mr_arena_reset(&arena);
            rc = client_batch_unpack(&c, &arena, &record);
        }
        pthread_mutex_lock(&w->reject_lock);
        if (rc == MR_OK)
            w->options.on_reject(w->options.arg, (const struct mr_record *)(const void *)&record, why);
        pthread_mutex_unlock(&w->reject_lock);
        mr_arena_release(&arena);
    }
    batch_end(s->ended, position);
    s->totals->rejected++;
}

static void wrote(const struct sending *s, unsigned position)
{
    batch_end(s->ended, position);
    s->totals->written++;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void reject_each(const struct sending *s, const unsigned *positions, size_t n, const struct outcome *o)
{
    struct mr_rejection why = {
        .code = or_empty(o->code), .reason = or_empty(o->message), .request_id = or_empty(o->request_id)};
    if (why.code[0] == '\0')
        why.code = mr_err_name(o->error);
    for (size_t i = 0; i < n; i++)
        reject(s, positions[i], &why);
}

/* RejectedRecordsException: those it names are refused, the others are stored (write-api reference 5.9). */
static void settle_rejected(const struct sending *s, const unsigned *positions, size_t n,
                            const struct outcome *o)
{
    for (size_t k = 0; k < o->nrejected; k++) {
        const struct mr_rejected_record *r = &o->rejected[k];
        if (!r->record_index.set || r->record_index.v < 0 || (uint64_t)r->record_index.v >= n)
            continue;
        unsigned position = positions[r->record_index.v];
        if (batch_ended(s->ended, position)) /* named twice */
            continue;
        struct mr_rejection why = {.code = or_empty(o->code),
                                   .reason = r->reason.ptr != NULL ? r->reason.ptr : or_empty(o->message),
                                   .existing_version = r->existing_version.set ? r->existing_version.v : 0,
                                   .request_id = or_empty(o->request_id)};
        reject(s, position, &why);
    }
    for (size_t i = 0; i < n; i++)
        if (!batch_ended(s->ended, positions[i]))
            wrote(s, positions[i]);
}

/* Nothing about these records: the way to the service is closed, or the service does not know us (any more).
 */
static bool is_outage(const struct outcome *o, enum retry_class *class_)
{
    *class_ = client_retry_classify(o->error, o->http_status, or_empty(o->code));
    if (*class_ == RETRY_SOON || *class_ == RETRY_SLOWER)
        return true;
    if (o->error == MR_ERR_ARGUMENT ||
        (o->error == MR_ERR_SERVICE && o->http_status != 403 && o->http_status != 421))
        return false;
    *class_ = RETRY_SLOWER;
    return true;
}

/* A refusal that one record can bring upon all: worth asking again in halves. */
static bool worth_splitting(const struct outcome *o)
{
    return o->error == MR_ERR_SERVICE && (o->http_status == 400 || o->http_status == 413);
}

/* One request for the records from `from` to `to` that have not ended. */
static int request(const struct sending *s, unsigned from, unsigned to, struct outcome *o,
                   unsigned *positions, size_t *n)
{
    struct mr_writer *w = s->w;
    struct model_record records[BATCH_RECORDS_MAX];
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf body = MR_BUF_INIT;
    int rc = unpack_range(s, from, to, &arena, records, positions, n);
    if (rc == MR_OK && *n > 0) {
        client_batch_encode(w->database, w->table, records, *n, &arena, &body);
        if (mr_buf_ok(&body) && !arena.failed)
            client_try_body(w->client, CLIENT_WRITE, model_operation(MODEL_OP_WRITE_RECORDS),
                            mr_buf_view(&body), 1, NULL, o);
        else
            rc = MR_ENOMEM;
        s->totals->requests++;
        s->totals->retries += o->attempts > 1 ? (uint64_t)o->attempts - 1 : 0;
    }
    mr_buf_release(&body);
    mr_arena_release(&arena);
    if (rc == MR_ENOMEM)
        client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    return rc == MR_ECORRUPT ? rc : MR_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): halves of at most 100 records */
static enum send_result send_range(const struct sending *s, unsigned from, unsigned to)
{
    unsigned positions[BATCH_RECORDS_MAX];
    size_t n;
    struct outcome o = {.error = 0};
    enum send_result result = SEND_ENDED;
    if (request(s, from, to, &o, positions, &n) != MR_OK) {
        result = SEND_BROKEN;
    } else if (o.error == 0) {
        for (size_t i = 0; i < n; i++)
            wrote(s, positions[i]);
    } else if (o.error == MR_ERR_SERVICE && o.nrejected > 0) {
        settle_rejected(s, positions, n, &o);
    } else if (is_outage(&o, s->class_)) {
        result = SEND_OUTAGE;
        client_outcome_release(s->why);
        *s->why = o;
        o = (struct outcome){.error = 0};
    } else if (n > 1 && worth_splitting(&o)) {
        unsigned middle = positions[n / 2];
        result = send_range(s, from, middle);
        if (result == SEND_ENDED)
            result = send_range(s, middle, to);
    } else {
        reject_each(s, positions, n, &o);
    }
    client_outcome_release(&o);
    return result;
}

enum send_result client_writer_send(struct mr_writer *w, struct mr_str payload, unsigned records,
                                    uint64_t ended[static 2], struct send_totals *totals,
                                    enum retry_class *class_, struct outcome *why)
{
    struct sending s = {w, payload, records, ended, totals, class_, why};
    if (records > BATCH_RECORDS_MAX)
        return SEND_BROKEN;
    return send_range(&s, 0, records);
}

void client_writer_reject_all(struct mr_writer *w, struct mr_str payload, unsigned records,
                              uint64_t ended[static 2], const struct mr_rejection *why,
                              struct send_totals *totals)
{
    struct sending s = {.w = w, .payload = payload, .records = records, .ended = ended, .totals = totals};
    for (unsigned i = 0; i < records; i++)
        if (!batch_ended(ended, i))
            reject(&s, i, why);
}
