/* Strings of the control plane that callers choose freely: page tokens, resource ARNs, KMS keys, Host
 * headers. Besides not crashing: no token passes that was not made here, and what a reader accepts keeps its
 * promises. */
#include "api/arn.h"
#include "api/kms.h"
#include "api/page.h"
#include "api/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct api_state state = {.token_key = "a key for fuzzing, 32 bytes long"};
static const struct api_context context = {.account = "123456789012", .partition = "aws", .state = &state};

/* What was given as a token is none of ours; as the name in a token it comes back. */
static void tokens(struct api_call *call, struct mr_str input)
{
    const struct api_page_scope scope = {"ListTables", MR_STR("plant")};
    struct model_fault fault = {0};
    struct mr_str name;
    MR_ASSERT(api_page_after(call, scope, input, &name, &fault) != MR_OK);
    fault = (struct model_fault){0};
    struct mr_str token = api_page_token(call, scope, input);
    if (token.len <= 2048) {
        MR_ASSERT(api_page_after(call, scope, token, &name, &fault) == MR_OK);
        MR_ASSERT(mr_str_eq(name, input));
    }
}

static void names(struct api_call *call, struct mr_str input)
{
    struct model_fault fault = {0};
    struct mr_str path;
    if (api_tagged_resource(call, input, &path, &fault) == MR_OK)
        MR_ASSERT(mr_str_starts(path, MR_STR("database/")) && path.ptr + path.len == input.ptr + input.len);
    fault = (struct model_fault){0};
    if (api_kms_check(call, input, "KmsKeyId", &fault) == MR_OK) {
        struct mr_str arn = api_kms_arn(call, input);
        MR_ASSERT(api_kms_check(call, arn, "KmsKeyId", &fault) == MR_OK); /* what is shown can be given */
        MR_ASSERT(mr_str_eq(api_kms_arn(call, arn), arn));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf out = MR_BUF_INIT;
    struct model_fault fault = {0};
    struct mr_str input = {size != 0 ? (const char *)data : "", size};
    struct api_call call = {.api = &context,
                            .arena = &arena,
                            .region = MR_STR("eu-west-1"),
                            .host = input,
                            .user_agent = input,
                            .tls = size % 2 != 0,
                            .out = &out};
    tokens(&call, input);
    names(&call, input);
    api_describe_endpoints(&call, &fault);
    mr_buf_release(&out);
    mr_arena_release(&arena);
    return 0;
}
