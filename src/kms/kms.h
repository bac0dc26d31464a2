/* kms/kms.h - a KMS-compatible service: DescribeKey, GenerateDataKey and Decrypt, each one signed call.
 *
 * What is made is bound to the database it is for by the encryption context {"millrace:database": name}; the
 * service refuses to decrypt it under another. Calls block for as long as remote/ allows.
 *
 * Statuses, whatever HTTP says: MR_ENOENT (no such key), MR_EINVAL (the key is there and cannot be used: it
 * is disabled, pending deletion, or not for encrypting), MR_EDENIED (this server may not use it), MR_EIO (no
 * answer, one that makes no sense, or "not now": the same call may do later), MR_ECORRUPT (Decrypt: not what
 * was wrapped), MR_ENOMEM. Texts name the key and never a secret.
 *
 * Thread-safe.
 */
#ifndef MR_KMS_KMS_H
#define MR_KMS_KMS_H

#include "remote/remote.h"

#define KMS_KEY_BYTES 32 /* of a data key: AES_256 */

struct kms;

/* Options as of remote_open; service is "kms" when it is NULL. */
int kms_open(const struct remote_options *options, struct kms **out, struct mr_error *err);
void kms_close(struct kms *kms); /* no call may be under way; NULL is fine */
/* Ends calls under way and later ones (remote_cancel). */
void kms_cancel(struct kms *kms);

/* The ARN of the key that an id, ARN or alias means, in the arena. MR_OK only for a key that can be used. */
int kms_describe(struct kms *kms, struct mr_str key, struct mr_arena *arena, struct mr_str *arn,
                 struct mr_error *err);
/* A new data key; its wrapped form is appended. */
int kms_generate(struct kms *kms, struct mr_str key, struct mr_str database,
                 unsigned char out[static KMS_KEY_BYTES], struct mr_buf *wrapped, struct mr_error *err);
int kms_decrypt(struct kms *kms, struct mr_str key, struct mr_str database, struct mr_str wrapped,
                unsigned char out[static KMS_KEY_BYTES], struct mr_error *err);

#endif
