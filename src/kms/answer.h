/* kms/answer.h - what the service's answers mean. Bytes from outside: every shape is checked. Private. */
#ifndef MR_KMS_ANSWER_H
#define MR_KMS_ANSWER_H

#include "kms/kms.h"

/* The status of an answer that is no 200; `http` 200 gives MR_OK. *type (64 bytes) is the error's bare name.
 */
int kms_answer_status(int http, struct mr_str body, struct mr_arena *arena, char type[static 64]);
/* KeyMetadata: MR_EIO when it is none, MR_EINVAL when the key cannot be used. */
int kms_answer_metadata(struct mr_str body, struct mr_arena *arena, struct mr_str *arn);
/* The Plaintext of 32 bytes, and, when `wrapped` is given, the CiphertextBlob. Arena memory that held the key
 * is wiped. MR_EIO: not there. */
int kms_answer_key(struct mr_str body, struct mr_arena *arena, unsigned char out[static KMS_KEY_BYTES],
                   struct mr_buf *wrapped);

#endif
