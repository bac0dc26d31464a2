/* backup/s3_page.c - a page of ListObjectsV2, as far as it is asked for.
 *
 * Keys of ours need no escaping, so an escaped one is somebody else's; texts are taken as they stand and
 * backup_key_valid has the last word. */
#include "backup/target.h"

static size_t find(struct mr_str text, struct mr_str what, size_t from)
{
    while (from + what.len <= text.len) {
        const char *at = memmem(text.ptr + from, text.len - from, what.ptr, what.len);
        return at != NULL ? (size_t)(at - text.ptr) : SIZE_MAX;
    }
    return SIZE_MAX;
}

/* The text of the first such element; false: there is none. */
static bool element(struct mr_str text, struct mr_str open, struct mr_str close, struct mr_str *out)
{
    size_t begin = find(text, open, 0);
    size_t end = begin != SIZE_MAX ? find(text, close, begin + open.len) : SIZE_MAX;
    if (end == SIZE_MAX)
        return false;
    *out = mr_str_slice(text, begin + open.len, end);
    return true;
}

int backup_s3_page(struct mr_str xml, backup_list_fn *fn, void *ctx, struct mr_buf *token,
                   struct mr_error *err)
{
    static const struct mr_str open = MR_STR("<Contents>"), close = MR_STR("</Contents>");
    struct mr_str result, truncated, next, bytes;
    if (find(xml, MR_STR("<ListBucketResult"), 0) == SIZE_MAX ||
        !element(xml, MR_STR("<IsTruncated>"), MR_STR("</IsTruncated>"), &truncated))
        return mr_error_set(err, MR_EINVAL, "S3 answers a list with something else");
    for (size_t at = 0; (at = find(xml, open, at)) != SIZE_MAX;) {
        size_t end = find(xml, close, at);
        uint64_t size;
        if (end == SIZE_MAX)
            return mr_error_set(err, MR_EINVAL, "S3 answers a list that ends early");
        struct mr_str object = mr_str_slice(xml, at + open.len, end);
        at = end + close.len;
        if (!element(object, MR_STR("<Key>"), MR_STR("</Key>"), &result) ||
            !element(object, MR_STR("<Size>"), MR_STR("</Size>"), &bytes) || !mr_str_to_u64(bytes, &size))
            return mr_error_set(err, MR_EINVAL, "S3 answers a list with an object without key or size");
        if (!backup_key_valid(result))
            continue;
        int status = fn(ctx, result, size);
        if (status != MR_OK)
            return mr_error_set(err, (enum mr_status)status, "out of memory listing a bucket");
    }
    if (!mr_str_eq(truncated, MR_STR("true")))
        return MR_OK;
    if (!element(xml, MR_STR("<NextContinuationToken>"), MR_STR("</NextContinuationToken>"), &next) ||
        next.len == 0)
        return mr_error_set(err, MR_EINVAL, "S3 answers a list that goes on nowhere");
    mr_buf_str(token, next);
    return mr_buf_ok(token) ? MR_OK : (int)mr_error_set(err, MR_ENOMEM, "out of memory listing a bucket");
}
