/* reports/private.h - what the files of this room share. Private. */
#ifndef MR_REPORTS_PRIVATE_H
#define MR_REPORTS_PRIVATE_H

#include "reports/reports.h"

#include <pthread.h>

/* ---- queue.c: reports that are gathered or wait, oldest first. One owner at a time. */
struct reports_group {
    struct mr_str reason;  /* of the batch's arena */
    struct mr_buf records; /* JSON, with commas between */
};
struct reports_batch {
    struct reports_batch *next;
    struct mr_arena arena;
    struct reports_place place; /* in the arena */
    struct reports_group *groups;
    size_t ngroups, groups_cap;
    size_t bytes, count; /* of records */
    int64_t born, due;   /* monotonic */
    unsigned attempts;
    bool closed;
    char id[33];    /* 32 upper-case hexadecimal digits */
    char stamp[20]; /* 2026-01-02T03:04:05, when it was closed */
};
struct reports_queue {
    struct reports_batch *first;
    size_t bytes;
};
/* Adds to the open batch of that place, or begins one. MR_ENOMEM: nothing was added. *batch is where it went.
 */
int queue_add(struct reports_queue *q, const struct reports_place *place, struct mr_str reason,
              struct mr_str record, int64_t now, struct reports_batch **batch);
void queue_close_batch(struct reports_batch *batch, int64_t wall, int64_t due);
void queue_take_out(struct reports_queue *q, struct reports_batch *batch); /* and frees it */
/* The object's body and key. MR_ENOMEM. */
int batch_body(const struct reports_batch *batch, struct mr_buf *out);
int batch_path(const struct reports_batch *batch, struct mr_buf *out); /* "/bucket/key" */

/* ---- upload.c */
enum reports_outcome { REPORTS_WRITTEN, REPORTS_USER_FAULT, REPORTS_OWN_FAULT };
enum reports_outcome reports_upload(struct remote *s3, const struct reports_batch *batch, uint32_t total_ms,
                                    struct mr_error *err);

#endif
