#include "magstore/press.h"

#include <zstd.h>

#define LEVEL 1 /* names have many repeats: higher levels cost more than they save */

struct magstore_press {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
};

int magstore_press_new(struct magstore_press **out)
{
    struct magstore_press *press = mr_calloc(1, sizeof *press);
    *out = NULL;
    if (press == NULL)
        return MR_ENOMEM;
    press->compress = ZSTD_createCCtx();
    press->decompress = ZSTD_createDCtx();
    if (press->compress == NULL || press->decompress == NULL) {
        magstore_press_free(press);
        return MR_ENOMEM;
    }
    *out = press;
    return MR_OK;
}

void magstore_press_free(struct magstore_press *press)
{
    if (press == NULL)
        return;
    ZSTD_freeCCtx(press->compress);
    ZSTD_freeDCtx(press->decompress);
    mr_free(press);
}

int magstore_press_pack(struct magstore_press *press, struct mr_str bytes, struct mr_buf *out)
{
    size_t bound = ZSTD_compressBound(bytes.len);
    char *to = mr_buf_reserve(out, bound);
    if (to == NULL)
        return MR_ENOMEM;
    size_t packed = ZSTD_compressCCtx(press->compress, to, bound, bytes.ptr, bytes.len, LEVEL);
    if (ZSTD_isError(packed)) /* there is room, so nothing but memory can be missing */
        return MR_ENOMEM;
    out->len += packed;
    return MR_OK;
}

bool magstore_press_unpack(struct magstore_press *press, struct mr_str packed, void *to, size_t len)
{
    size_t got = ZSTD_decompressDCtx(press->decompress, to, len, packed.ptr, packed.len);
    return !ZSTD_isError(got) && got == len;
}
