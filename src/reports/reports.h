/* reports/reports.h - late records whose version lost, written to S3 where their table says (write-api
 * reference 8).
 *
 * Records are gathered for a moment, so that one object tells of many; a thread writes the objects, each
 * under a key of its own:
 *
 *     [prefix/]DATABASE/TABLE/2026-01-02T03:04:05/REPORTID.json
 *
 * A target that fails is tried again, with pauses that double from one second to a minute, REPORTS_ATTEMPTS
 * times. What waits is in memory and bounded: beyond it, after the last attempt, and when the server dies,
 * reports are lost; all but the last are counted. One log line says that a target began to fail, one that it
 * works again.
 *
 * Thread-safe. Adding never waits for the network.
 */
#ifndef MR_REPORTS_REPORTS_H
#define MR_REPORTS_REPORTS_H

#include "remote/remote.h"

#define REPORTS_ATTEMPTS 12

struct reports;

struct reports_options {
    struct remote_options s3; /* service is "s3" */
    size_t memory;            /* bytes that may wait; 0: 16 MiB */
    size_t object;            /* a report is closed at this size; 0: 1 MiB */
    int64_t linger_ns;        /* and at this age; 0: one second */
    int64_t pause_ns;         /* before the second attempt; 0: one second */
};

/* MR_EINVAL: as of remote_open. Nobody is asked yet. */
int reports_open(const struct reports_options *options, struct reports **out, struct mr_error *err);
/* Writes what waits, once and within a few seconds, and lets go of the rest. NULL is fine. */
void reports_close(struct reports *reports);

enum reports_encryption { REPORTS_AS_IT_IS, REPORTS_SSE_S3, REPORTS_SSE_KMS };

struct reports_place {
    struct mr_str database, table;
    struct mr_str bucket, prefix; /* prefix, kms_key: MR_STR_NULL for none */
    enum reports_encryption encryption;
    struct mr_str kms_key;
};

/* One record, as JSON, and why it lost. Everything is copied. */
void reports_add(struct reports *reports, const struct reports_place *place, struct mr_str reason,
                 struct mr_str record);

/* Is there such a bucket, for us? MR_ENOENT, MR_EDENIED, MR_EIO (no answer that says so). Waits for the
 * network.
 */
int reports_check(struct reports *reports, struct mr_str bucket, struct mr_error *err);

struct reports_stats {
    uint64_t objects, records;            /* written */
    uint64_t user_failures, own_failures; /* attempts: 4xx (bucket, rights), everything else */
    uint64_t dropped;                     /* records: no room, or no attempt left */
    uint64_t waiting_bytes;
};
void reports_stats(struct reports *reports, struct reports_stats *out);

#endif
