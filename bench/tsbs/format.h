/* bench/tsbs/format.h - the data set in the forms that systems read. */
#ifndef MR_BENCH_TSBS_FORMAT_H
#define MR_BENCH_TSBS_FORMAT_H

#include <stdio.h>

#include "tsbs/data.h"

/* Rows in order of time, then host, to a stream. MR_OK, MR_ENOMEM or MR_EIO. */
int format_csv(const struct data_spec *spec, FILE *out);  /* time, tags, readings; times in UTC; no header */
int format_line(const struct data_spec *spec, FILE *out); /* line protocol, times in nanoseconds */

/* Both record models of WriteRecords: a record with all readings, or one a reading. */
enum format_model { FORMAT_MULTI, FORMAT_SINGLE };

/* Steps of a host that one request covers: 100 records at most. */
unsigned format_body_steps(enum format_model model);

/* Replaces *body by a request with the host's next `steps` readings and moves the host on. *ms is the time of
 * the first, and is moved too. MR_OK or MR_ENOMEM. */
int format_body(const struct data_spec *spec, enum format_model model, const char *database,
                const char *table, struct data_host *host, int64_t *ms, unsigned steps, struct mr_buf *body);

#endif
