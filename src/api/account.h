/* api/account.h - the account's settings for queries, kept in the catalog (query-api reference 10).
 *
 * On disk: 8 bytes, when the provisioned capacity was last changed; then JSON in the shape that
 * DescribeAccountSettings answers (docs/format/catalog.md). An update applies at once, so LastUpdate has
 * SUCCEEDED.
 */
#ifndef MR_API_ACCOUNT_H
#define MR_API_ACCOUNT_H

#include "api/action.h"

struct api_account {
    struct model_describe_account_settings_response shown;
    int64_t capacity_changed; /* wall ns; 0: never */
};

/* In the arena; the defaults when nothing was ever stored. The caller holds state->account around load and
 * save. */
int api_account_load(struct api_call *call, struct api_account *out);
/* Tells whoever limits queries. */
void api_account_tell(const struct api_context *context, const struct api_account *account);
int api_account_save(struct api_call *call, const struct api_account *account, struct mr_error *err);

#endif
