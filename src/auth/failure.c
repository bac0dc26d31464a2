#include "auth/sigv4.h"

#include <stdarg.h>
#include <stdio.h>

int auth_fail(struct auth_failure *why, const char *type, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    why->type = type;
    if (vsnprintf(why->message, sizeof why->message, fmt, ap) < 0)
        why->message[0] = '\0';
    va_end(ap);
    /* Parts of the request are echoed; whatever they hold must come out as plain text. */
    for (char *p = why->message; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    return MR_EDENIED;
}
