/* reports/queue.c - records into reports: who shares an object, and what it says. */
#include "reports/private.h"

#include "base/rand.h"
#include "base/text.h"
#include "json/write.h"

#define BATCH_OVERHEAD 512

static bool same_place(const struct reports_place *a, const struct reports_place *b)
{
    return mr_str_eq(a->database, b->database) && mr_str_eq(a->table, b->table) &&
           mr_str_eq(a->bucket, b->bucket) && mr_str_eq(a->prefix, b->prefix) &&
           a->encryption == b->encryption && mr_str_eq(a->kms_key, b->kms_key);
}

static void batch_free(struct reports_batch *b)
{
    for (size_t i = 0; i < b->ngroups; i++)
        mr_buf_release(&b->groups[i].records);
    mr_free(b->groups);
    mr_arena_release(&b->arena);
    mr_free(b);
}

static struct reports_batch *begin(struct reports_queue *q, const struct reports_place *place, int64_t now)
{
    struct reports_batch *b = mr_calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->place = (struct reports_place){
        .database = mr_arena_dup(&b->arena, place->database),
        .table = mr_arena_dup(&b->arena, place->table),
        .bucket = mr_arena_dup(&b->arena, place->bucket),
        .prefix = place->prefix.ptr != NULL ? mr_arena_dup(&b->arena, place->prefix) : MR_STR_NULL,
        .encryption = place->encryption,
        .kms_key = place->kms_key.ptr != NULL ? mr_arena_dup(&b->arena, place->kms_key) : MR_STR_NULL,
    };
    if (b->arena.failed) {
        batch_free(b);
        return NULL;
    }
    b->born = now;
    b->bytes = BATCH_OVERHEAD;
    q->bytes += BATCH_OVERHEAD;
    struct reports_batch **end = &q->first;
    while (*end != NULL)
        end = &(*end)->next;
    *end = b;
    return b;
}

static struct reports_group *group_of(struct reports_batch *b, struct mr_str reason)
{
    for (size_t i = 0; i < b->ngroups; i++)
        if (mr_str_eq(b->groups[i].reason, reason))
            return &b->groups[i];
    struct mr_str copy = mr_arena_dup(&b->arena, reason);
    if (copy.ptr == NULL ||
        mr_grow((void **)&b->groups, &b->groups_cap, b->ngroups + 1, sizeof *b->groups) != MR_OK)
        return NULL;
    b->groups[b->ngroups] = (struct reports_group){copy, MR_BUF_INIT};
    return &b->groups[b->ngroups++];
}

int queue_add(struct reports_queue *q, const struct reports_place *place, struct mr_str reason,
              struct mr_str record, int64_t now, struct reports_batch **batch)
{
    struct reports_batch *b = q->first;
    while (b != NULL && (b->closed || !same_place(&b->place, place)))
        b = b->next;
    if (b == NULL)
        b = begin(q, place, now);
    struct reports_group *group = b != NULL ? group_of(b, reason) : NULL;
    if (group == NULL || mr_buf_reserve(&group->records, record.len + 1) == NULL) {
        if (b != NULL && b->count == 0)
            queue_take_out(q, b);
        return MR_ENOMEM;
    }
    if (group->records.len > 0)
        mr_buf_char(&group->records, ',');
    mr_buf_str(&group->records, record);
    b->bytes += record.len + 1;
    b->count++;
    q->bytes += record.len + 1;
    *batch = b;
    return MR_OK;
}

void queue_close_batch(struct reports_batch *b, int64_t wall, int64_t due)
{
    unsigned char random[16];
    char iso[32];
    mr_random_bytes(random, sizeof random);
    mr_hex_encode(random, sizeof random, b->id);
    for (char *c = b->id; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'f')
            *c = (char)(*c - 32);
    mr_format_iso_ms(wall, iso);
    memcpy(b->stamp, iso, sizeof b->stamp - 1);
    b->stamp[sizeof b->stamp - 1] = '\0';
    b->closed = true;
    b->due = due;
}

void queue_take_out(struct reports_queue *q, struct reports_batch *batch)
{
    struct reports_batch **at = &q->first;
    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
    q->bytes -= batch->bytes;
    batch_free(batch);
}

int batch_body(const struct reports_batch *b, struct mr_buf *out)
{
    mr_buf_printf(out, "{\"reportId\":\"%s\",\"errors\":[", b->id);
    for (size_t i = 0; i < b->ngroups; i++) {
        mr_buf_str(out, i > 0 ? MR_STR(",{\"reason\":") : MR_STR("{\"reason\":"));
        json_write_string(out, b->groups[i].reason);
        mr_buf_str(out, MR_STR(",\"records\":["));
        mr_buf_str(out, mr_buf_view(&b->groups[i].records));
        mr_buf_str(out, MR_STR("]}"));
    }
    mr_buf_str(out, MR_STR("]}"));
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

int batch_path(const struct reports_batch *b, struct mr_buf *out)
{
    const struct reports_place *p = &b->place;
    struct mr_str prefix = p->prefix;
    while (prefix.len > 0 && prefix.ptr[prefix.len - 1] == '/')
        prefix.len--;
    mr_buf_printf(out, "/" MR_STR_FMT "/" MR_STR_FMT "%s" MR_STR_FMT "/" MR_STR_FMT "/%s/%s.json",
                  MR_STR_ARG(p->bucket), MR_STR_ARG(prefix), prefix.len > 0 ? "/" : "",
                  MR_STR_ARG(p->database), MR_STR_ARG(p->table), b->stamp, b->id);
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}
