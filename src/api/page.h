/* api/page.h - page tokens of the list operations (write-api reference 3: pagination in general).
 *
 * A token holds the name its page ended with, so nothing is kept on the server and a page may be asked for
 * again at any time, after a restart too. It carries an HMAC over the operation, its parameters and that
 * name: a token that was altered, or is used with another operation or other parameters, is refused.
 *
 *     base64url( version 1 (1 byte) | HMAC-SHA256 (32) | name )
 */
#ifndef MR_API_PAGE_H
#define MR_API_PAGE_H

#include "api/action.h"

/* What a token is good for: operation name, and the parameter that chooses what is listed (MR_STR_NULL: none
 * given). */
struct api_page_scope {
    const char *operation;
    struct mr_str parameter;
};

/* The token that goes on after `last`, in the arena. MR_STR_NULL when memory ran out. */
struct mr_str api_page_token(struct api_call *call, struct api_page_scope scope, struct mr_str last);

/* The name inside; MR_STR_NULL when no token was given (the first page). ValidationException for a bad one.
 */
int api_page_after(struct api_call *call, struct api_page_scope scope, struct mr_str token,
                   struct mr_str *last, struct model_fault *fault);

#endif
