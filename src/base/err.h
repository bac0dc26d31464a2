/* base/err.h - the one error idiom: a status code, and a text for people where there is one. */
#ifndef MR_BASE_ERR_H
#define MR_BASE_ERR_H

#include "base/core.h"

enum mr_status {
    MR_OK = 0,
    MR_ENOMEM = -1,        /* an allocation failed; the object is as it was before the call */
    MR_EINVAL = -2,        /* outside bytes (wire, disk, flags) break a rule; the text says which */
    MR_EIO = -3,           /* the operating system refused or failed a file operation */
    MR_ENOSPC = -4,        /* no room on disk; retry after space is freed */
    MR_ENOENT = -5,        /* the named thing does not exist */
    MR_EEXIST = -6,        /* the named thing exists already */
    MR_ECORRUPT = -7,      /* stored bytes fail their checksum or their format */
    MR_EBUSY = -8,         /* a bounded queue is full or a lock is held; retry later */
    MR_ELIMIT = -9,        /* a configured limit would be exceeded; the text names it */
    MR_ECANCEL = -10,      /* the caller or a deadline stopped the work */
    MR_EDENIED = -11,      /* authentication or authorisation refused */
    MR_EUNSUPPORTED = -12, /* understood, and not built yet */
    MR_EINTERNAL = -13,    /* a broken promise of our own; never the caller's fault */
    MR_EAGAIN = -14,       /* not without waiting; the same call by somebody who may wait will do */
};

/* A status with its explanation. Starts as MR_ERROR_INIT; the first error set stays (later ones are
 * consequences). */
struct mr_error {
    enum mr_status status;
    char text[512]; /* NUL-terminated UTF-8, cut at a character boundary when too long */
};

#define MR_ERROR_INIT                                                                                        \
    {                                                                                                        \
        MR_OK, ""                                                                                            \
    }

/* Records the first error and yields `status`, so that `return mr_error_set(...)` reads well. err may be
 * NULL. A macro, so that readers and analysers see which value comes back. */
#define mr_error_set(err, status, ...)                                                                       \
    ({                                                                                                       \
        enum mr_status mr_status_ = (enum mr_status)(status);                                                \
        mr_error_record((err), mr_status_, __VA_ARGS__);                                                     \
        mr_status_;                                                                                          \
    })
void mr_error_record(struct mr_error *err, enum mr_status status, const char *fmt, ...) MR_PRINTF(3, 4);

/* The same with ": strerror(errnum)" appended. */
#define mr_error_errno(err, status, errnum, ...)                                                             \
    ({                                                                                                       \
        enum mr_status mr_status_ = (enum mr_status)(status);                                                \
        mr_error_record_errno((err), mr_status_, (errnum), __VA_ARGS__);                                     \
        mr_status_;                                                                                          \
    })
void mr_error_record_errno(struct mr_error *err, enum mr_status status, int errnum, const char *fmt, ...)
    MR_PRINTF(4, 5);

/* Stable lower-case name of a status, for logs. */
const char *mr_status_name(enum mr_status status);

#endif
