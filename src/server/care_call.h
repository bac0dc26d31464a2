/* server/care_call.h - the client's side of the calls under "/-/", for the commands that talk to a running
 * server.
 */
#ifndef MR_SERVER_CARE_CALL_H
#define MR_SERVER_CARE_CALL_H

#include "json/json.h"
#include "remote/remote.h"

/* `credentials`: an AWS credentials file, the data directory's root-credentials for one; NULL: the
 * environment. */
int care_call_open(const char *url, const char *credentials, struct remote **out, struct mr_error *err);
/* One call; its answer, parsed into the arena. MR_EDENIED and others: the server said no, in its words. */
int care_call(struct remote *remote, const char *method, const char *path, struct mr_str body,
              struct mr_arena *arena, struct json_doc *out, struct mr_error *err);

/* Members of the answer; what is missing or of another type is 0, false or "". */
uint64_t care_call_number(struct json_value object, struct mr_str name);
bool care_call_flag(struct json_value object, struct mr_str name);
struct mr_str care_call_text(struct json_value object, struct mr_str name);

#endif
