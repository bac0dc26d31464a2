/* policy/policy.h - IAM-style policy documents: read once, then asked who may do what.
 *
 * A document is the JSON of an identity-based policy: Version, Id, Statement; a statement has Effect, Action
 * or NotAction, Resource or NotResource, and may have Sid and Condition. Rules (write-api reference 2.4,
 * query-api reference 14, and IAM's evaluation logic):
 *
 *   - what no statement allows is refused; a statement that denies wins over all that allow;
 *   - actions are compared without regard to case, resources with it; `*` stands for any characters, slashes
 *     and colons of the last part of an ARN included, `?` for one character. The first five parts of an ARN
 *     are matched one by one, so that a wildcard does not reach over their colons;
 *   - ${variables} in resources and condition values are replaced when Version is 2012-10-17; what is put in
 *     stands for itself, wildcards too;
 *   - a statement whose truth cannot be told (a condition key or a variable that this server does not know)
 *     allows nothing, and denies what it would deny were it true: doubt is never an Allow.
 *
 * What a document may say is checked when it is read: an element, operator or effect that is unknown, a
 * member that comes twice, a resource that is neither an ARN nor `*` is refused with a text that names it.
 *
 * Pure: no clock, no files, no state. A policy is immutable, so any number of threads may ask it.
 */
#ifndef MR_POLICY_POLICY_H
#define MR_POLICY_POLICY_H

#include "json/json.h"

#define POLICY_MAX_TEXT ((size_t)64 << 10) /* bytes of a document; IAM's limit is 6,144 */
#define POLICY_MAX_PATTERN 2048            /* bytes of one action, resource or condition value */

struct policy;

/* Reads a document. The name is what verdicts call it. MR_OK, MR_EINVAL (the text says what is wrong and in
 * which statement), MR_ENOMEM. */
int policy_parse(struct mr_str name, struct mr_str text, struct policy **out, struct mr_error *err);
/* The same from a value that is parsed already, for a document inside another one. */
int policy_read(struct mr_str name, struct json_value document, struct policy **out, struct mr_error *err);
/* A role's trust policy: Principal ("*", or {"AWS": ARN, 12-digit account id, or a list of them}) stands in
 * place of Resource. It is asked with the ARN of a principal as resource; an account id means its root's. */
int policy_read_trust(struct mr_str name, struct json_value document, struct policy **out,
                      struct mr_error *err);
void policy_free(struct policy *policy); /* NULL is fine */
struct mr_str policy_name(const struct policy *policy);

/* What a condition key stands for in a request. */
struct policy_values {
    bool known;              /* false: this server does not know the key */
    const struct mr_str *at; /* n == 0: known, but the request has no such value */
    size_t n;
    bool many; /* the key may have several values (aws:TagKeys): not to be used as a variable */
};

struct policy_request {
    struct mr_str action;   /* "timestream:WriteRecords" */
    struct mr_str resource; /* an ARN, or "*" */
    /* The values of a key, whose name is to be compared without regard to case; called only when a statement
     * asks for it. They live as long as the call of policy_evaluate. A status other than MR_OK ends the
     * evaluation with it. */
    int (*value)(void *ctx, struct mr_str key, struct policy_values *out);
    void *ctx;
};

enum policy_decision {
    POLICY_DENIED,    /* no statement allows it */
    POLICY_ALLOWED,   /* one allows it and none denies it */
    POLICY_FORBIDDEN, /* a statement denies it */
};

struct policy_verdict {
    enum policy_decision decision;
    struct mr_str policy, sid; /* of the statement that decided; MR_STR_NULL for POLICY_DENIED. Views. */
    size_t statement;          /* its number in the policy, from 1; 0 for POLICY_DENIED */
};

/* MR_OK and the verdict, or the status of value(). */
int policy_evaluate(const struct policy *const *policies, size_t n, const struct policy_request *request,
                    struct policy_verdict *out);

#endif
