/* api/audit.h - who did what: one JSON line a call, in the record shape of AWS CloudTrail.
 *
 * Control-plane and STS calls are always recorded, refused and failed ones too; Query, WriteRecords and the
 * other calls about data when `data` is set. A record never holds a secret, a token, SQL text or a value of a
 * record: parameters are the request's with lower first letters, cut at AUDIT_MAX_TEXT bytes a text and
 * AUDIT_MAX_PARAMETERS in all, those of data calls only the names of database and table. Calls that nobody's
 * key signed are recorded too, at most AUDIT_STRANGERS a second: strangers must not fill the disk.
 *
 * A record is one write(2) to a file opened for appending (mode 0600) before the answer leaves; it is not
 * synced. When the disk refuses, what was written of the line is cut off again, one log line says so, one
 * when it heals, and lost records are counted. With `required`, a call whose record is lost answers 500, and
 * later calls are refused before they do anything until a record can be written. Rotation: rename the file,
 * SIGHUP.
 *
 * Thread-safe.
 */
#ifndef MR_API_AUDIT_H
#define MR_API_AUDIT_H

#include "base/base.h"

#define AUDIT_MAX_TEXT 512
#define AUDIT_MAX_PARAMETERS 8192
#define AUDIT_STRANGERS 10

struct api_audit;
struct api_context;
struct api_request;

struct api_audit_options {
    const char *path; /* copied */
    bool data, required;
};

struct api_audit_counts {
    uint64_t written, lost, left_out; /* left_out: of strangers, beyond the limit */
};

int api_audit_open(const struct api_audit_options *options, struct api_audit **out, struct mr_error *err);
void api_audit_close(struct api_audit *audit); /* NULL is fine */
/* Opens the path again; with an error the old file goes on. */
int api_audit_reopen(struct api_audit *audit, struct mr_error *err);
void api_audit_counts(const struct api_audit *audit, struct api_audit_counts *out);

/* False while a record of this call is required and records cannot be written. */
bool api_audit_may_act(const struct api_audit *audit, const struct api_request *req);
/* Records the call as it is answered, if it is to be. False when the record is required and lost. */
bool api_audit_call(struct api_audit *audit, const struct api_context *context, const struct api_request *req,
                    unsigned status);

#endif
