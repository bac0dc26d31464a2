/* api/kms.h - KMS key identifiers: four forms in, key ARNs out (write-api reference 3.1, 4.5).
 *
 * A key id or key ARN is taken at its word. An alias that no key service has resolved stands for a key whose
 * id is derived from the alias and a seed kept in the catalog: it looks like any other and never changes.
 */
#ifndef MR_API_KMS_H
#define MR_API_KMS_H

#include "api/action.h"

/* What a database has when no key was given: the account's AWS-managed key. */
#define API_DEFAULT_KEY MR_STR("alias/aws/timestream")

/* ValidationException unless it has one of the four forms. `member` names it in the text. */
int api_kms_check(struct api_call *call, struct mr_str key, const char *member, struct model_fault *fault);

/* The id of the key behind such an identifier, whatever region it is asked in; MR_STR_NULL when memory ran
 * out.
 */
struct mr_str api_kms_id(const struct api_context *api, struct mr_str key, struct mr_arena *arena);
/* Does it mean the key of databases that were given none? */
bool api_kms_is_default(const struct api_context *api, struct mr_str key, struct mr_arena *arena);

/* The fault of a key that could not be had, by what the keeper of keys says of it (api/keys.h): MR_EINVAL
 * with the fault set, or the status when it is the server that failed. */
int api_kms_refused(struct api_call *call, const char *operation, int status, const struct mr_error *err,
                    struct model_fault *fault);

/* The key ARN behind an identifier that passed api_kms_check. MR_STR_NULL when memory ran out. */
struct mr_str api_kms_arn(struct api_call *call, struct mr_str key);

#endif
