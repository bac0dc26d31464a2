/* api/reports.h - where late records go whose version lost, when the answer does not tell of them: to whoever
 * writes the reports of a table (server/boot.c wires reports/). Thread-safe. */
#ifndef MR_API_REPORTS_H
#define MR_API_REPORTS_H

#include "catalog/catalog.h"

struct api_reports {
    void *ctx; /* NULL and the calls too: there is no object storage */
    /* One record of the table, which has a location; never waits. */
    void (*add)(void *ctx, const struct catalog_table *table, struct mr_str reason, struct mr_str record);
    /* Can reports be written to that bucket? MR_ENOENT: there is none; MR_EDENIED: not by this server;
     * MR_EIO: nobody says. May wait for the network. */
    int (*check)(void *ctx, struct mr_str bucket, struct mr_error *err);
};

#endif
