/* catalog/retention.h - how far back a table reaches (write-api reference 6). */
#ifndef MR_CATALOG_RETENTION_H
#define MR_CATALOG_RETENTION_H

#include "catalog/catalog.h"

/* Both periods together: the magnetic one begins when the memory one ends. */
static inline int64_t catalog_retention_hours(const struct catalog_table *table)
{
    return table->memory_hours + table->magnetic_days * 24;
}

/* Oldest record time the table still shows: now - memory - magnetic retention, never below 0. Reckoned in
 * hours, because 73,000 days in nanoseconds do not fit 64 bits. */
static inline int64_t catalog_retention_floor(const struct catalog_table *table, int64_t now_ns)
{
    int64_t hours = catalog_retention_hours(table);
    return hours > now_ns / MR_NS_PER_HOUR ? 0 : now_ns - hours * MR_NS_PER_HOUR;
}

#endif
