/* From an HTTP answer to a struct of the model, or to an error with all that came with it. */
#include "client/outcome.h"

#include "json/json.h"
#include "model/table.h"

/* What a hostile body may cost: decoding takes at most some 30 bytes for one of the body, the tape 16 more.
 */
#define ARENA_PER_BYTE 64

static void limit(struct mr_arena *arena, size_t body)
{
    arena->limit = arena->total + body * ARENA_PER_BYTE + (1 << 20);
}

static struct mr_str member(struct json_value object, struct mr_str name)
{
    struct json_value v;
    return json_get(object, name, &v) && json_type(v) == JSON_STRING ? json_text(v) : MR_STR_NULL;
}

/* com.amazonaws.timestream.v20181101#ValidationException:http://... -> ValidationException */
static struct mr_str bare_name(struct mr_str type)
{
    if (type.ptr == NULL)
        return type;
    size_t hash = mr_str_find(type, '#', 0);
    if (hash < type.len)
        type = mr_str_slice(type, hash + 1, type.len);
    return mr_str_slice(type, 0, mr_str_find(type, ':', 0));
}

/* Members that stand beside the message, decoded as the shape says; NULL when they make no sense. */
static void *beside(const struct model_shape *shape, struct mr_str body, struct outcome *o)
{
    struct model_fault fault = {0};
    void *value = NULL;
    return model_decode_response(shape, body, &o->arena, &value, &fault) == MR_OK ? value : NULL;
}

static void read_rejected(struct mr_str body, struct outcome *o)
{
    const struct model_rejected_records *r = beside(&model_shape_rejected_records, body, o);
    if (r == NULL)
        return;
    o->rejected = (const struct mr_rejected_record *)(const void *)r->rejected_records.at;
    o->nrejected = r->rejected_records.len;
}

static void read_missing(struct mr_str body, struct outcome *o)
{
    const struct model_scheduled_query_not_found *m = beside(&model_shape_scheduled_query_not_found, body, o);
    if (m != NULL)
        o->arn = m->scheduled_query_arn.ptr;
}

static int not_ours(const struct client_response *r, struct outcome *o)
{
    if (r->status >= 300 && r->status < 400)
        return client_outcome_fail(o, MR_ERR_ANSWER,
                                   "HTTP %d: a redirect, which a signed request does not follow.", r->status);
    return client_outcome_fail(o, MR_ERR_ANSWER, "HTTP %d with a body that is none of the API's.", r->status);
}

static int read_error(const struct client_response *r, struct outcome *o)
{
    struct mr_str body = mr_buf_view(&r->body);
    struct json_doc doc;
    struct mr_error err = MR_ERROR_INIT;
    if (r->status < 400) /* whatever it says, it is no error of the API */
        return not_ours(r, o);
    int rc = json_parse(body, &o->arena, &doc, &err);
    if (rc == MR_ENOMEM)
        return client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    if (rc != MR_OK || json_type(json_root(&doc)) != JSON_OBJECT)
        return not_ours(r, o);
    struct mr_str code = bare_name(member(json_root(&doc), MR_STR("__type")));
    struct mr_str message = member(json_root(&doc), MR_STR("message"));
    if (message.ptr == NULL)
        message = member(json_root(&doc), MR_STR("Message"));
    if (code.len == 0)
        return not_ours(r, o);
    o->error = MR_ERR_SERVICE;
    o->code = mr_arena_dup(&o->arena, code).ptr;
    o->message = message.ptr;                                /* the tape's texts end in NUL */
    if (mr_str_eq(code, MR_STR("RejectedRecordsException"))) /* the tree is gone after these */
        read_rejected(body, o);
    else if (mr_str_eq(code, MR_STR("ResourceNotFoundException")))
        read_missing(body, o);
    return o->error;
}

int client_answer_read(const struct model_shape *shape, const struct client_response *response,
                       struct mr_arena *arena, void **value, struct outcome *o)
{
    *value = NULL;
    o->http_status = response->status;
    o->date_s = response->date_s;
    o->request_id = mr_arena_dup(&o->arena, mr_str_of(response->request_id)).ptr;
    limit(&o->arena, response->body.len);
    if (response->status != 200)
        return read_error(response, o);
    if (shape->index->count == 0)
        return 0;
    limit(arena, response->body.len);
    struct model_fault fault = {0};
    int rc = response->body.len == 0 /* which the model takes for {} */
                 ? MR_EINVAL
                 : model_decode_response(shape, mr_buf_view(&response->body), arena, value, &fault);
    if (rc == MR_ENOMEM)
        return client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    if (rc != MR_OK)
        return client_outcome_fail(o, MR_ERR_ANSWER, "HTTP 200 with a body that is no %s.", shape->name.ptr);
    return 0;
}
