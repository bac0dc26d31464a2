#include "backup/target.h"

#include "base/text.h"

#include <openssl/evp.h>

bool backup_key_valid(struct mr_str key)
{
    if (key.len == 0 || key.len > 512 || key.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                     c == '.' || c == '_' || c == '-';
        /* no "..", no "//", no part that begins with a dot: not of ours, and dangerous as a path */
        if (!plain || ((i == 0 || key.ptr[i - 1] == '/') && (c == '.' || c == '/')))
            return false;
    }
    return key.ptr[key.len - 1] != '/';
}

void backup_sha256(struct mr_str bytes, char out[65])
{
    unsigned char digest[32];
    MR_ASSERT(EVP_Digest(bytes.ptr, bytes.len, digest, NULL, EVP_sha256(), NULL) == 1);
    mr_hex_encode(digest, sizeof digest, out);
}

int backup_target_open(const char *where, const struct backup_s3 *s3, bool make, struct backup_target **out,
                       struct mr_error *err)
{
    struct mr_str text = mr_str_of(where), scheme = MR_STR("s3://");
    *out = NULL;
    if (mr_str_starts(text, scheme))
        return backup_s3_open(mr_str_slice(text, scheme.len, text.len), s3, out, err);
    return backup_dir_open(where, make, out, err);
}

void backup_target_close(struct backup_target *target)
{
    if (target != NULL)
        target->close(target);
}
