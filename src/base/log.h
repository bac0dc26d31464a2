/* base/log.h - structured log lines on stderr: time, level, event, then key=value pairs (logfmt).
 *
 *     mr_log(MR_LOG_INFO, "listening", "address=%s port=%d", host, port);
 *     2026-01-02T03:04:05.678Z level=info event=listening address=127.0.0.1 port=8650
 *
 * One write(2) a line, so lines of threads do not mix. Callers never pass secrets, SQL text or record values.
 * Values with blanks are the caller's to quote (use \"%s\"). Control characters are replaced by '?'.
 * Thread-safe.
 */
#ifndef MR_BASE_LOG_H
#define MR_BASE_LOG_H

#include "base/base.h"

enum mr_log_level { MR_LOG_DEBUG, MR_LOG_INFO, MR_LOG_WARN, MR_LOG_ERROR };

void mr_log_set_level(enum mr_log_level least);
bool mr_log_parse_level(struct mr_str name, enum mr_log_level *out);
void mr_log(enum mr_log_level level, const char *event, const char *fmt, ...) MR_PRINTF(3, 4);

#endif
