/* server/report_sink.h - reports/ behind the API's words for it. */
#ifndef MR_SERVER_REPORT_SINK_H
#define MR_SERVER_REPORT_SINK_H

#include "api/reports.h"
#include "reports/reports.h"
#include "server/config.h"

/* Opens the sink of the configured --s3-endpoint; *out stays NULL without one. */
int report_sink_open(const struct server_config *config, struct reports **out, struct mr_error *err);
/* What the API calls; zeroed for NULL. */
struct api_reports report_sink_calls(struct reports *reports);

#endif
