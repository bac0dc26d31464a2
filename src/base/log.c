#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *const names[] = {"debug", "info", "warn", "error"};
static enum mr_log_level threshold = MR_LOG_INFO;

void mr_log_set_level(enum mr_log_level least)
{
    __atomic_store_n(&threshold, least, __ATOMIC_RELAXED);
}

bool mr_log_parse_level(struct mr_str name, enum mr_log_level *out)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        if (mr_str_eq(name, mr_str_of(names[i]))) {
            *out = (enum mr_log_level)i;
            return true;
        }
    }
    return false;
}

void mr_log(enum mr_log_level level, const char *event, const char *fmt, ...)
{
    if (level < __atomic_load_n(&threshold, __ATOMIC_RELAXED))
        return;
    char line[2048];
    char when[32];
    mr_format_iso_ms(mr_clock_wall(&mr_clock_system), when);
    int n = snprintf(line, sizeof line, "%s level=%s event=%s ", when, names[level], event);
    size_t len = n > 0 ? (size_t)n : 0;
    va_list ap;
    va_start(ap, fmt);
    n = vsnprintf(line + len, sizeof line - len - 1, fmt, ap);
    va_end(ap);
    if (n > 0)
        len += (size_t)n;
    if (len > sizeof line - 2)
        len = sizeof line - 2;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
            line[i] = '?';
    while (len > 0 && line[len - 1] == ' ')
        len--;
    line[len++] = '\n';
    /* A log that cannot be written has nobody to tell. */
    ssize_t ignored = write(STDERR_FILENO, line, len);
    MR_UNUSED(ignored);
}
