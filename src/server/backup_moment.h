/* server/backup_moment.h - where `millrace backup` has its moment from: the server that serves the data
 * directory, or, when nobody does, the directory itself. */
#ifndef MR_SERVER_BACKUP_MOMENT_H
#define MR_SERVER_BACKUP_MOMENT_H

#include "backup/backup.h"

struct remote;

struct backup_source {
    const char *data;      /* directory */
    const char *server;    /* URL */
    int lock;              /* of a directory that nobody serves; -1 */
    struct remote *remote; /* NULL: nobody serves it */
    uint64_t hold;
    int64_t renewed; /* monotonic */
    struct backup_moment moment;
};

int backup_source_open(struct backup_source *source, struct mr_error *err);
/* Now and then: the hold lasts as long as somebody says so. MR_ENOENT: it has run out. */
int backup_source_renew(struct backup_source *source, struct mr_error *err);
void backup_source_close(struct backup_source *source); /* fine after a failed open */

#endif
