#include "catalog/parts.h"

int catalog_copy(struct catalog *c, struct mr_buf *out, int (*moment)(void *ctx, struct mr_error *err),
                 void *ctx, struct mr_error *err)
{
    pthread_mutex_lock(&c->writer);
    int status = moment != NULL ? moment(ctx, err) : MR_OK;
    sqlite3_int64 bytes = 0;
    unsigned char *image = status == MR_OK ? sqlite3_serialize(c->db.handle, "main", &bytes, 0) : NULL;
    pthread_mutex_unlock(&c->writer);
    if (status != MR_OK)
        return status;
    if (image != NULL)
        mr_buf_add(out, image, (size_t)bytes);
    bool ok = image != NULL && mr_buf_ok(out);
    sqlite3_free(image);
    return ok ? MR_OK : (int)mr_error_set(err, MR_ENOMEM, "catalog: out of memory copying it");
}
