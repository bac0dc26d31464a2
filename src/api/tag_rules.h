/* api/tag_rules.h - what a tag may be (write-api reference 4.4). Lengths are the model's business. */
#ifndef MR_API_TAG_RULES_H
#define MR_API_TAG_RULES_H

#include "api/action.h"

#define API_TAGS_PER_RESOURCE 50

/* ValidationException for a key in the reserved name space, a character outside the set, or a key given
 * twice. On MR_OK *pairs holds the tags as the catalog takes them, in the arena. */
int api_tags_check(struct api_call *call, const struct model_tag_list *tags, struct mr_pair **pairs,
                   struct model_fault *fault);
/* ServiceQuotaExceededException of a resource with too many. */
int api_tags_too_many(struct api_call *call, struct model_fault *fault);

#endif
