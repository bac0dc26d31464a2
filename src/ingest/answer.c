/* Outcomes as AWS's texts, and the body of the answer (reference 5.7, 5.9, 5.10). */
#include "ingest/parts.h"

#include "json/write.h"

#include <inttypes.h>

struct mr_str ingest_reason(const struct store_record *r, struct mr_arena *arena)
{
    switch (r->outcome) {
    case STORE_STORED:
    case STORE_DUPLICATE:
        return MR_STR_NULL;
    case STORE_REJECT_SAME_VERSION:
        return MR_STR(
            "A record already exists with the same time, dimensions, measure name, and record version. A "
            "higher record version must be specified in order to update the measure value. Specifying "
            "record version is supported by the latest SDKs.");
    case STORE_REJECT_LOWER_VERSION:
        return mr_arena_printf(arena,
                               "The record version %" PRId64 " is lower than the existing version %" PRId64
                               ". A higher version is required to update the measure value.",
                               r->version, r->existing_version);
    case STORE_REJECT_MEASURE_TYPE:
        return MR_STR(
            "Measure name already has an assigned measure value type. Each measure name can have only one "
            "measure value type, and the measure name is case sensitive.");
    case STORE_REJECT_ATTRIBUTE_TYPE:
        return MR_STR(
            "Multi measure name already has an assigned measure value type. Each multi measure name can "
            "have only one measure value type, and the measure name is case sensitive.");
    case STORE_REJECT_NAME_IS_MEASURE:
        return mr_arena_printf(arena, "The dimension name " MR_STR_FMT " is already used as a measure name.",
                               MR_STR_ARG(r->detail));
    case STORE_REJECT_NAME_IS_DIMENSION:
        return mr_arena_printf(arena, "The measure name " MR_STR_FMT " is already used as a dimension name.",
                               MR_STR_ARG(r->detail));
    case STORE_REJECT_DIMENSION_LIMIT:
        return MR_STR("The number of unique dimensions for a table exceeds the limit of 128.");
    case STORE_REJECT_MEASURE_LIMIT:
        return MR_STR("The number of unique measure names for a table exceeds the limit of 8192.");
    case STORE_REJECT_ATTRIBUTE_LIMIT:
        return MR_STR("The number of unique multi-measure attributes for a table exceeds the limit of 1024.");
    }
    return MR_STR("The record could not be stored.");
}

bool ingest_is_unreported(const struct store_record *r)
{
    return r->magnetic &&
           (r->outcome == STORE_REJECT_SAME_VERSION || r->outcome == STORE_REJECT_LOWER_VERSION);
}

/* All rejections ascending by index: both lists are, so this is one merge. Returns their number. */
static int merge_rejections(struct ingest_batch *b, enum ingest_conflicts conflicts, struct mr_arena *arena,
                            struct ingest_rejection **out, size_t *n, struct ingest_counts *counts)
{
    struct ingest_rejection *all = MR_ARENA_ARRAY(arena, b->total, struct ingest_rejection);
    if (all == NULL)
        return MR_ENOMEM;
    size_t early = 0;
    *n = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct store_record *r = &b->records[i];
        while (early < b->nrejections && b->rejections[early].index < b->index[i])
            all[(*n)++] = b->rejections[early++];
        if (r->outcome == STORE_STORED || r->outcome == STORE_DUPLICATE) {
            *(r->magnetic ? &counts->magnetic : &counts->memory) += 1;
            continue;
        }
        if (conflicts == INGEST_CONFLICTS_LATER && ingest_is_unreported(r)) {
            counts->unreported++;
            continue;
        }
        struct mr_str reason = ingest_reason(r, arena);
        if (reason.ptr == NULL)
            return MR_ENOMEM;
        int64_t existing = r->outcome == STORE_REJECT_LOWER_VERSION ? r->existing_version : 0;
        all[(*n)++] = (struct ingest_rejection){b->index[i], existing, reason};
    }
    while (early < b->nrejections)
        all[(*n)++] = b->rejections[early++];
    *out = all;
    counts->rejected = *n;
    return MR_OK;
}

#define SHOWN_IN_MESSAGE 3

/* AWS's sentence, then the first rejected records and why: SDKs and logs hide the list itself. */
static void message_text(const struct ingest_rejection *all, size_t n, struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("One or more records have been rejected. See RejectedRecords for details."));
    for (size_t i = 0; i < n && i < SHOWN_IN_MESSAGE; i++)
        mr_buf_printf(out, " Record %" PRIu32 ": " MR_STR_FMT, all[i].index, MR_STR_ARG(all[i].reason));
    if (n > SHOWN_IN_MESSAGE)
        mr_buf_printf(out, " (%zu more)", n - SHOWN_IN_MESSAGE);
}

static void rejected_json(const struct ingest_rejection *all, size_t n, struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("\"RejectedRecords\":["));
    for (size_t i = 0; i < n; i++) {
        mr_buf_str(out, i != 0 ? MR_STR(",{\"Reason\":") : MR_STR("{\"Reason\":"));
        json_write_string(out, all[i].reason);
        mr_buf_printf(out, ",\"RecordIndex\":%" PRIu32, all[i].index);
        if (all[i].existing_version != 0)
            mr_buf_printf(out, ",\"ExistingVersion\":%" PRId64, all[i].existing_version);
        mr_buf_char(out, '}');
    }
    mr_buf_char(out, ']');
}

/* Both texts are built in a buffer and moved to the arena, where faults live. */
static int refuse(const struct ingest_rejection *all, size_t n, struct mr_arena *arena,
                  struct model_fault *fault)
{
    struct mr_buf text = MR_BUF_INIT;
    message_text(all, n, &text);
    struct mr_str message = mr_arena_dup(arena, mr_buf_view(&text));
    text.len = 0;
    rejected_json(all, n, &text);
    struct mr_str extra = mr_arena_dup(arena, mr_buf_view(&text));
    bool ok = mr_buf_ok(&text) && message.ptr != NULL && extra.ptr != NULL;
    mr_buf_release(&text);
    if (!ok)
        return MR_ENOMEM;
    *fault = (struct model_fault){MODEL_REJECTED_RECORDS, message, extra};
    return MR_EINVAL;
}

int ingest_answer(struct ingest_batch *batch, enum ingest_conflicts conflicts, struct mr_arena *arena,
                  struct mr_buf *out, struct ingest_counts *counts, struct model_fault *fault)
{
    struct ingest_rejection *all;
    size_t n;
    *counts = (struct ingest_counts){0};
    int status = merge_rejections(batch, conflicts, arena, &all, &n, counts);
    if (status != MR_OK)
        return status;
    if (n != 0)
        return refuse(all, n, arena, fault);
    uint64_t magnetic = counts->magnetic + counts->unreported;
    mr_buf_printf(out,
                  "{\"RecordsIngested\":{\"MagneticStore\":%" PRIu64 ",\"MemoryStore\":%" PRIu64
                  ",\"Total\":%" PRIu64 "}}",
                  magnetic, counts->memory, magnetic + counts->memory);
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}
