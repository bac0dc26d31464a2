#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void mr_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "assertion failed: %s at %s:%d\n", cond, file, line);
    abort();
}

/* Cuts a text that snprintf truncated back to its last whole UTF-8 character. */
static void trim_partial_utf8(char *text, size_t len)
{
    size_t i = len;
    while (i > 0 && ((unsigned char)text[i - 1] & 0xC0) == 0x80)
        i--;
    if (i == 0)
        return;
    unsigned char lead = (unsigned char)text[i - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (len - (i - 1) < need)
        text[i - 1] = '\0';
}

MR_PRINTF(2, 0) static void set_text(struct mr_error *err, const char *fmt, va_list ap)
{
    int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
    if (n < 0)
        err->text[0] = '\0';
    else if ((size_t)n >= sizeof err->text)
        trim_partial_utf8(err->text, sizeof err->text - 1);
}

void mr_error_record(struct mr_error *err, enum mr_status status, const char *fmt, ...)
{
    if (err == NULL || err->status != MR_OK)
        return;
    err->status = status;
    va_list ap;
    va_start(ap, fmt);
    set_text(err, fmt, ap);
    va_end(ap);
}

void mr_error_record_errno(struct mr_error *err, enum mr_status status, int errnum, const char *fmt, ...)
{
    if (err == NULL || err->status != MR_OK)
        return;
    err->status = status;
    va_list ap;
    va_start(ap, fmt);
    set_text(err, fmt, ap);
    va_end(ap);
    size_t len = strlen(err->text);
    char reason[128];
    snprintf(err->text + len, sizeof err->text - len, ": %s", strerror_r(errnum, reason, sizeof reason));
}

const char *mr_status_name(enum mr_status status)
{
    switch (status) {
    case MR_OK:
        return "ok";
    case MR_ENOMEM:
        return "out_of_memory";
    case MR_EINVAL:
        return "invalid";
    case MR_EIO:
        return "io_error";
    case MR_ENOSPC:
        return "no_space";
    case MR_ENOENT:
        return "not_found";
    case MR_EEXIST:
        return "exists";
    case MR_ECORRUPT:
        return "corrupt";
    case MR_EBUSY:
        return "busy";
    case MR_ELIMIT:
        return "limit";
    case MR_ECANCEL:
        return "cancelled";
    case MR_EDENIED:
        return "denied";
    case MR_EUNSUPPORTED:
        return "unsupported";
    case MR_EAGAIN:
        return "would_wait";
    case MR_EINTERNAL:
        return "internal";
    }
    return "unknown";
}
