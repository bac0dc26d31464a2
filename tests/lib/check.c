#include "lib/check.h"

void check_str(struct mr_str got, const char *want)
{
    if (got.len != strlen(want) || (got.len != 0 && memcmp(got.ptr, want, got.len) != 0))
        fail_msg("got \"" MR_STR_FMT "\", want \"%s\"", MR_STR_ARG(got), want);
}

void check_ok(int status, const struct mr_error *err)
{
    if (status != MR_OK)
        fail_msg("%s: %s", mr_status_name((enum mr_status)status), err != NULL ? err->text : "");
}
