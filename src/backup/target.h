/* backup/target.h - a flat set of small objects, on a disk or in S3. Private to the room.
 *
 * Keys are of letters, digits and "/._-". An object is there whole or not at all. */
#ifndef MR_BACKUP_TARGET_H
#define MR_BACKUP_TARGET_H

#include "backup/backup.h"

typedef int backup_list_fn(void *ctx, struct mr_str key, uint64_t bytes);

struct backup_target {
    int (*put)(struct backup_target *target, const char *key, struct mr_str bytes, struct mr_error *err);
    /* Appends; MR_ENOENT, MR_ELIMIT beyond `limit`. */
    int (*get)(struct backup_target *target, const char *key, size_t limit, struct mr_buf *out,
               struct mr_error *err);
    /* Calls fn for each object under the folder ("files/", "log/", "backups/"), in no order, keys whole. */
    int (*list)(struct backup_target *target, const char *folder, backup_list_fn *fn, void *ctx,
                struct mr_error *err);
    void (*close)(struct backup_target *target);
};

int backup_dir_open(const char *path, bool make, struct backup_target **out, struct mr_error *err);
int backup_s3_open(struct mr_str where, const struct backup_s3 *s3, struct backup_target **out,
                   struct mr_error *err);

bool backup_key_valid(struct mr_str key);

/* A page of ListObjectsV2's XML: calls fn for each Key and Size; *more with the token to go on, appended to
 * `token` (a view of it is empty at the end). MR_EINVAL: no such page. */
int backup_s3_page(struct mr_str xml, backup_list_fn *fn, void *ctx, struct mr_buf *token,
                   struct mr_error *err);

/* 64 lower-case hexadecimal digits. */
void backup_sha256(struct mr_str bytes, char out[65]);

#endif
