/* tests/lib/fault.h - faults as a countdown: the n-th allocation, or the n-th file operation, fails. */
#ifndef MR_TESTS_FAULT_H
#define MR_TESTS_FAULT_H

#include "base/io.h"

/* From now on the n-th allocation (1 is the next) fails, once; 0 switches faults off. */
void fault_alloc(unsigned n);
/* True when the armed allocation fault has happened. */
bool fault_alloc_fired(void);

enum fault_kind {
    FAULT_ERROR, /* the call returns -errnum and does nothing */
    FAULT_SHORT, /* a transfer moves half its bytes, the next one fails with -errnum */
};

/* A file-operation table over mr_io_posix that fails its n-th counted call. */
struct fault_io {
    struct mr_io io;    /* pass &fault.io on */
    unsigned countdown; /* fails when this reaches 0; 0 means never */
    unsigned calls; /* counted calls so far (open, pread, pwrite, syncs, fallocate, rename, unlink, ...) */
    int errnum;     /* EIO, ENOSPC, ... */
    enum fault_kind kind;
    bool sticky; /* once failed, every later call fails too */
    bool fired;
};

void fault_io_init(struct fault_io *fault);
void fault_io_arm(struct fault_io *fault, unsigned nth, int errnum, enum fault_kind kind, bool sticky);

#endif
