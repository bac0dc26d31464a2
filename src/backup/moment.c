/* backup/moment.c - a moment as bytes: a line, the LSN, three lengths, three files. */
#include "backup/backup.h"

#include "base/cursor.h"

#define FIRST_LINE "millrace moment 1\n"

void backup_moment_release(struct backup_moment *moment)
{
    magstore_manifest_release(&moment->manifest);
    mr_buf_release(&moment->catalog);
    mr_buf_release(&moment->keyring);
}

int backup_moment_encode(const struct backup_moment *moment, struct mr_buf *out)
{
    struct mr_buf manifest = MR_BUF_INIT;
    int status =
        moment->manifest.generation != 0 ? magstore_manifest_encode(&moment->manifest, &manifest) : MR_OK;
    mr_buf_str(out, MR_STR(FIRST_LINE));
    mr_buf_u64(out, moment->lsn);
    mr_buf_u64(out, manifest.len);
    mr_buf_u64(out, moment->catalog.len);
    mr_buf_u64(out, moment->keyring.len);
    mr_buf_str(out, mr_buf_view(&manifest));
    mr_buf_str(out, mr_buf_view(&moment->catalog));
    mr_buf_str(out, mr_buf_view(&moment->keyring));
    mr_buf_release(&manifest);
    return status == MR_OK && mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

int backup_moment_decode(struct mr_str bytes, struct backup_moment *out, struct mr_error *err)
{
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    struct mr_str line = mr_cursor_bytes(&c, sizeof FIRST_LINE - 1);
    *out = (struct backup_moment)BACKUP_MOMENT_INIT;
    out->lsn = mr_cursor_u64(&c);
    uint64_t lengths[3];
    for (size_t i = 0; i < MR_ARRAY_LEN(lengths); i++)
        lengths[i] = mr_cursor_u64(&c);
    struct mr_str manifest = mr_cursor_bytes(&c, lengths[0]);
    struct mr_str catalog = mr_cursor_bytes(&c, lengths[1]), keyring = mr_cursor_bytes(&c, lengths[2]);
    if (c.bad || c.left != 0 || !mr_str_eq(line, MR_STR(FIRST_LINE)))
        return mr_error_set(err, MR_ECORRUPT, "what the server answers is no moment of its data");
    if (manifest.len != 0) {
        int status = magstore_manifest_decode(manifest, &out->manifest, err);
        if (status != MR_OK)
            return status;
    }
    mr_buf_str(&out->catalog, catalog);
    mr_buf_str(&out->keyring, keyring);
    if (mr_buf_ok(&out->catalog) && mr_buf_ok(&out->keyring))
        return MR_OK;
    backup_moment_release(out);
    return mr_error_set(err, MR_ENOMEM, "out of memory reading a moment");
}
