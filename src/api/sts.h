/* api/sts.h - temporary credentials: the calls of AWS STS that a caller of this server needs, on the same
 * port.
 *
 * Query protocol: a signed POST (service "sts") of a form with Action and Version 2011-06-15, answers in XML.
 *
 *   GetCallerIdentity   who the key is; nobody is refused
 *   GetSessionToken     a session with the rights of the caller; not for one that is temporary itself
 *   AssumeRole          a session with the rights of a role of the users file, whose trust policy names the
 *                       caller. A policy that trusts the account leaves it to the caller's own policies
 *                       (sts:AssumeRole on the role's ARN); a Deny there counts always
 *
 * Tokens: auth/session.h. A session policy narrows a role's rights and never widens them.
 */
#ifndef MR_API_STS_H
#define MR_API_STS_H

#include "api/dispatch.h"

/* A form and no target: for api_sts. */
bool api_sts_is(const struct api_request *req);
/* Answers the request; waits for nothing. */
void api_sts(struct api_server *s, struct api_request *req);

#endif
