/* tests/lib/check.h - cmocka with the includes it forgets, and two checks of our own. */
#ifndef MR_TESTS_CHECK_H
#define MR_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"

/* The view equals the C string; prints both when not. */
void check_str(struct mr_str got, const char *want);
/* The call succeeded; prints the error's text when not. */
void check_ok(int status, const struct mr_error *err);

#endif
