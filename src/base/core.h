/* base/core.h - the macros under everything; include base/base.h instead. */
#ifndef MR_BASE_CORE_H
#define MR_BASE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MR_LIKELY(x) __builtin_expect(!!(x), 1)
#define MR_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define MR_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MR_UNUSED(x) ((void)(x))
#define MR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MR_MUST_USE __attribute__((warn_unused_result))

/* Prints file, line and condition to stderr and aborts. */
void mr_assert_failed(const char *cond, const char *file, int line) __attribute__((noreturn, cold));

#define MR_ASSERT(cond)                                                                                      \
    do {                                                                                                     \
        if (MR_UNLIKELY(!(cond)))                                                                            \
            mr_assert_failed(#cond, __FILE__, __LINE__);                                                     \
    } while (0)

#endif
