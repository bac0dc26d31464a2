/* server/backup_moment.h - where `millrace backup` has its moment from: the server that serves the data
 * directory, or, when nobody does, the directory itself. */
#ifndef MR_SERVER_BACKUP_MOMENT_H
#define MR_SERVER_BACKUP_MOMENT_H

#include "backup/backup.h"

#include <pthread.h>

struct remote;

struct backup_source {
    const char *data;      /* directory */
    const char *server;    /* URL */
    int lock;              /* of a directory that nobody serves; -1 */
    struct remote *remote; /* NULL: nobody serves it */
    uint64_t hold;
    struct backup_moment moment;
    /* a thread renews the hold, however long a copy keeps its own thread busy */
    pthread_t keeper;
    bool has_keeper;
    pthread_mutex_t lock_of_keeper;
    pthread_cond_t wake;
    bool ending;          /* under the lock */
    struct mr_error lost; /* likewise: the hold could not be renewed */
};

int backup_source_open(struct backup_source *source, struct mr_error *err);
/* MR_OK while what is copied is kept. */
int backup_source_held(struct backup_source *source, struct mr_error *err);
void backup_source_close(struct backup_source *source); /* fine after a failed open */

#endif
