/* reports/upload.c - one report into its bucket, and the question whether there is one. */
#include "reports/private.h"

static size_t add_headers(const struct reports_place *p, struct mr_pair headers[static 3])
{
    size_t n = 0;
    headers[n++] = (struct mr_pair){MR_STR("content-type"), MR_STR("application/json")};
    if (p->encryption == REPORTS_SSE_S3)
        headers[n++] = (struct mr_pair){MR_STR("x-amz-server-side-encryption"), MR_STR("AES256")};
    if (p->encryption == REPORTS_SSE_KMS)
        headers[n++] = (struct mr_pair){MR_STR("x-amz-server-side-encryption"), MR_STR("aws:kms")};
    if (p->encryption == REPORTS_SSE_KMS && p->kms_key.ptr != NULL)
        headers[n++] = (struct mr_pair){MR_STR("x-amz-server-side-encryption-aws-kms-key-id"), p->kms_key};
    return n;
}

enum reports_outcome reports_upload(struct remote *s3, const struct reports_batch *batch, uint32_t total_ms,
                                    struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT, body = MR_BUF_INIT;
    struct mr_pair headers[3];
    struct remote_answer answer = REMOTE_ANSWER_INIT;
    int status = batch_path(batch, &path);
    if (status == MR_OK)
        status = batch_body(batch, &body);
    if (status == MR_OK) {
        const struct remote_request request = {.method = "PUT",
                                               .path = mr_buf_view(&path),
                                               .headers = headers,
                                               .nheaders = add_headers(&batch->place, headers),
                                               .body = mr_buf_view(&body),
                                               .total_ms = total_ms};
        status = remote_call(s3, &request, &answer, err);
    }
    int http = answer.status;
    if (status == MR_OK && http / 100 != 2)
        mr_error_set(err, MR_EIO, "the bucket " MR_STR_FMT " answers %d", MR_STR_ARG(batch->place.bucket),
                     http);
    remote_answer_release(&answer);
    mr_buf_release(&path);
    mr_buf_release(&body);
    if (status == MR_OK && http / 100 == 2)
        return REPORTS_WRITTEN;
    return status == MR_OK && http / 100 == 4 ? REPORTS_USER_FAULT : REPORTS_OWN_FAULT;
}
