/* auth/claim.h - what a request says about its own signature, taken apart but not yet believed.
 *
 * Reads the Authorization header (reference 2.2) or the X-Amz-* query parameters (2.3). Views point into the
 * request or the arena. The first five rows of table 2.4 are decided here.
 */
#ifndef MR_AUTH_CLAIM_H
#define MR_AUTH_CLAIM_H

#include "auth/sigv4.h"

struct auth_claim {
    bool presigned;
    struct mr_str algorithm, credential, signed_headers, signature;
    struct mr_str date;       /* as sent: X-Amz-Date, or the Date header */
    bool date_is_header_date; /* date came from the Date header */
    struct mr_str expires;    /* X-Amz-Expires; presigned only */
    struct mr_str token;      /* MR_STR_NULL when none was sent */
};

/* MR_OK, MR_EDENIED and *why, or MR_ENOMEM. */
int auth_claim_read(const struct auth_request *req, struct mr_arena *arena, struct auth_claim *claim,
                    struct auth_failure *why);

#endif
