#include "magstore/scratch.h"

#include "base/cursor.h"

/* Every match found in a stream of noisy symbols costs more than the Huffman codes it replaces: on a random
 * walk the defaults of level 1 give 0.346 bytes a symbol, these 0.293, the entropy is 0.269
 * (bench/micro/encode). */
static bool set_symbols(ZSTD_CCtx *c)
{
    static const struct {
        ZSTD_cParameter parameter;
        int value;
    } rows[] = {
        {ZSTD_c_compressionLevel, 1}, {ZSTD_c_strategy, ZSTD_fast}, {ZSTD_c_minMatch, 7},
        {ZSTD_c_hashLog, 6},          {ZSTD_c_windowLog, 16},
    };
    bool ok = true;
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++)
        ok = ok && !ZSTD_isError(ZSTD_CCtx_setParameter(c, rows[i].parameter, rows[i].value));
    return ok;
}

static bool set_texts(ZSTD_CCtx *c)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, 3));
}

int magstore_scratch_new(struct magstore_scratch **out)
{
    struct magstore_scratch *s = mr_calloc(1, sizeof *s);
    if (s == NULL)
        return MR_ENOMEM;
    s->compress[MAGSTORE_SYMBOLS] = ZSTD_createCCtx();
    s->compress[MAGSTORE_TEXTS] = ZSTD_createCCtx();
    s->decompress = ZSTD_createDCtx();
    s->numbers = mr_malloc(MAGSTORE_MAX_VALUES * sizeof *s->numbers);
    s->residuals = mr_malloc(MAGSTORE_MAX_VALUES * sizeof *s->residuals);
    s->symbols = mr_malloc(MAGSTORE_MAX_VALUES);
    s->codes = mr_malloc(MAGSTORE_MAX_VALUES * 2 * sizeof *s->codes);
    if (s->compress[0] == NULL || s->compress[1] == NULL || s->decompress == NULL || s->numbers == NULL ||
        s->residuals == NULL || s->symbols == NULL || s->codes == NULL || !set_symbols(s->compress[0]) ||
        !set_texts(s->compress[1])) {
        magstore_scratch_free(s);
        return MR_ENOMEM;
    }
    *out = s;
    return MR_OK;
}

void magstore_scratch_free(struct magstore_scratch *s)
{
    if (s == NULL)
        return;
    ZSTD_freeCCtx(s->compress[0]);
    ZSTD_freeCCtx(s->compress[1]);
    ZSTD_freeDCtx(s->decompress);
    mr_free(s->numbers);
    mr_free(s->residuals);
    mr_free(s->symbols);
    mr_free(s->codes);
    mr_free(s);
}

int magstore_squeeze(struct magstore_scratch *s, enum magstore_matter matter, const void *bytes, size_t len,
                     struct mr_buf *out)
{
    mr_buf_varint(out, len);
    struct mr_buf packed = MR_BUF_INIT;
    size_t bound = ZSTD_compressBound(len), got = 0;
    char *to = len > 16 ? mr_buf_reserve(&packed, bound) : NULL;
    if (to != NULL) {
        got = ZSTD_compress2(s->compress[matter], to, bound, bytes, len);
        if (ZSTD_isError(got) || got >= len)
            got = 0;
    }
    mr_buf_varint(out, got);
    mr_buf_add(out, got != 0 ? to : bytes, got != 0 ? got : len);
    mr_buf_release(&packed);
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

size_t magstore_squeezed_length(struct mr_cursor from)
{
    uint64_t len = mr_cursor_varint(&from);
    return from.bad ? 0 : (size_t)len;
}

int magstore_unsqueeze(struct magstore_scratch *s, struct mr_cursor *from, void *to, size_t len)
{
    uint64_t raw = mr_cursor_varint(from), packed = mr_cursor_varint(from);
    if (from->bad || raw != len)
        return MR_ECORRUPT;
    struct mr_str bytes = mr_cursor_bytes(from, packed != 0 ? packed : raw);
    if (from->bad)
        return MR_ECORRUPT;
    if (packed == 0) {
        if (len != 0)
            memcpy(to, bytes.ptr, len);
        return MR_OK;
    }
    size_t got = ZSTD_decompressDCtx(s->decompress, to, len, bytes.ptr, bytes.len);
    return ZSTD_isError(got) || got != len ? MR_ECORRUPT : MR_OK;
}

void magstore_pack(const uint64_t *values, size_t n, unsigned width, struct mr_buf *out)
{
    if (width == 0)
        return;
    size_t bytes = (n * width + 7) / 8;
    unsigned char *to = (unsigned char *)mr_buf_reserve(out, bytes);
    if (to == NULL)
        return;
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    __uint128_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++) {
        held |= (__uint128_t)(values[i] & mask) << bits;
        for (bits += width; bits >= 8; bits -= 8, held >>= 8)
            *to++ = (unsigned char)held;
    }
    if (bits != 0)
        *to = (unsigned char)held;
    out->len += bytes;
}

bool magstore_unpack(struct mr_cursor *from, size_t n, unsigned width, uint64_t *out)
{
    if (width == 0)
        return true;
    struct mr_str bytes = mr_cursor_bytes(from, (n * width + 7) / 8);
    if (from->bad)
        return false;
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    size_t i = 0;
    if (width <= 56) { /* eight bytes at any byte offset hold a whole value */
        for (; i < n && (i * width) / 8 + 8 <= bytes.len; i++) {
            uint64_t word;
            memcpy(&word, p + i * width / 8, 8);
            out[i] |= (word >> (i * width % 8)) & mask;
        }
    }
    for (; i < n; i++) {
        size_t bit = i * width;
        __uint128_t word = 0;
        size_t left = bytes.len - bit / 8;
        memcpy(&word, p + bit / 8, left < 16 ? left : 16);
        out[i] |= (uint64_t)(word >> (bit % 8)) & mask;
    }
    return true;
}
