/* backup/list.c - what backups a target has. */
#include "backup/parts.h"

#include <stdio.h>
#include <stdlib.h>

struct ids {
    char (*at)[BACKUP_ID_BYTES];
    size_t count, cap;
};

static int on_object(void *ctx, struct mr_str key, uint64_t bytes)
{
    static const struct mr_str folder = MR_STR("backups/"), index = MR_STR("/index");
    struct ids *ids = ctx;
    MR_UNUSED(bytes);
    struct mr_str id = mr_str_slice(key, folder.len, folder.len + BACKUP_ID_BYTES - 1);
    if (!mr_str_starts(key, folder) || !backup_id_valid(id) ||
        !mr_str_eq(mr_str_slice(key, folder.len + id.len, key.len), index))
        return MR_OK;
    if (mr_grow((void **)&ids->at, &ids->cap, ids->count + 1, sizeof *ids->at) != MR_OK)
        return MR_ENOMEM;
    memcpy(ids->at[ids->count], id.ptr, id.len);
    ids->at[ids->count++][id.len] = '\0';
    return MR_OK;
}

static int by_time(const void *a, const void *b)
{
    return strcmp(a, b);
}

int backup_list(struct backup_target *target, char (**out)[BACKUP_ID_BYTES], size_t *count,
                struct mr_error *err)
{
    struct ids ids = {NULL, 0, 0};
    int status = target->list(target, "backups/", on_object, &ids, err);
    if (status != MR_OK) {
        mr_free(ids.at);
        ids = (struct ids){NULL, 0, 0};
    }
    if (ids.count > 1)
        qsort(ids.at, ids.count, sizeof *ids.at, by_time);
    *out = ids.at;
    *count = ids.count;
    return status;
}

int backup_read_index(struct backup_target *target, const char *id, struct backup_index *out,
                      struct mr_error *err)
{
    char key[BACKUP_KEY_BYTES];
    struct mr_buf bytes = MR_BUF_INIT;
    *out = (struct backup_index){.files = NULL};
    if (!backup_id_valid(mr_str_of(id)))
        return mr_error_set(err, MR_EINVAL, "\"%s\" is no id of a backup", id);
    snprintf(key, sizeof key, "backups/%s/index", id);
    int status = target->get(target, key, BACKUP_INDEX_LIMIT, &bytes, err);
    if (status == MR_OK)
        status = backup_index_decode(mr_buf_view(&bytes), out, err);
    if (status == MR_OK && strcmp(out->id, id) != 0) {
        backup_index_release(out);
        status = mr_error_set(err, MR_ECORRUPT, "the index of backup %s is another's", id);
    }
    mr_buf_release(&bytes);
    return status;
}
