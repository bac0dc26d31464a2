#include "server/care_call.h"

#include <stdlib.h>

int care_call_open(const char *url, const char *credentials, struct remote **out, struct mr_error *err)
{
    const char *region = getenv("AWS_REGION");
    const struct remote_options options = {
        .endpoint = url,
        .region = region != NULL && region[0] != '\0' ? region : "us-east-1",
        .service = "timestream",
        .credentials = {.file = credentials},
        .total_ms = 60000,
    };
    return remote_open(&options, out, err);
}

static int judge(const struct remote_answer *answer, struct mr_arena *arena, struct json_doc *out,
                 struct mr_error *err)
{
    struct mr_error why = MR_ERROR_INIT;
    int status = json_parse(mr_arena_dup(arena, mr_buf_view(&answer->body)), arena, out, &why);
    bool object = status == MR_OK && json_type(json_root(out)) == JSON_OBJECT;
    if (answer->status == 200 && object)
        return MR_OK;
    struct mr_str text = object ? care_call_text(json_root(out), MR_STR("message")) : MR_STR("");
    if (object && text.len == 0)
        text = care_call_text(json_root(out), MR_STR("Message"));
    return mr_error_set(err, answer->status == 403 ? MR_EDENIED : MR_EIO,
                        "the server answers %d: " MR_STR_FMT, answer->status, MR_STR_ARG(text));
}

int care_call(struct remote *remote, const char *method, const char *path, struct mr_str body,
              struct mr_arena *arena, struct json_doc *out, struct mr_error *err)
{
    const struct mr_pair headers[] = {{MR_STR("Content-Type"), MR_STR("application/json")}};
    const struct remote_request request = {
        .method = method, .path = mr_str_of(path), .headers = headers, .nheaders = 1, .body = body};
    struct remote_answer answer = REMOTE_ANSWER_INIT;
    int status = remote_call(remote, &request, &answer, err);
    if (status == MR_OK)
        status = judge(&answer, arena, out, err);
    remote_answer_release(&answer);
    return status;
}

uint64_t care_call_number(struct json_value object, struct mr_str name)
{
    struct json_value value;
    uint64_t number;
    return json_get(object, name, &value) && json_u64(value, &number) ? number : 0;
}

bool care_call_flag(struct json_value object, struct mr_str name)
{
    struct json_value value;
    return json_get(object, name, &value) && json_type(value) == JSON_TRUE;
}

struct mr_str care_call_text(struct json_value object, struct mr_str name)
{
    struct json_value value;
    return json_get(object, name, &value) && json_type(value) == JSON_STRING ? json_text(value) : MR_STR("");
}
