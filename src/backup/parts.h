/* backup/parts.h - what the files of this room share. Private. */
#ifndef MR_BACKUP_PARTS_H
#define MR_BACKUP_PARTS_H

#include "backup/target.h"

#define BACKUP_INDEX_LIMIT ((size_t)256 << 20)
#define BACKUP_KEY_BYTES 640 /* room for a key or a path in a data directory */

/* The key of one part. */
void backup_part_key(const struct backup_file *file, size_t part, char out[static BACKUP_KEY_BYTES]);
/* How many parts so many bytes make. */
static inline size_t backup_parts(uint64_t bytes)
{
    return (size_t)((bytes + BACKUP_PART_BYTES - 1) / BACKUP_PART_BYTES);
}
/* Of the index: a file with room for its parts; its strings are copied. NULL: no memory. */
struct backup_file *backup_index_add(struct backup_index *index, struct mr_str path, struct mr_str key,
                                     uint64_t bytes);
bool backup_id_valid(struct mr_str id);

#endif
