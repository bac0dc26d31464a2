/* magstore/manifest.c - a manifest as a list of files, and as bytes (docs/format/manifest.md). */
#include "magstore/manifest.h"

#include "base/cursor.h"
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MANIFEST_MAGIC "MRMANIFS"
#define MANIFEST_VERSION 1
#define MANIFEST_HEADER_BYTES 48
#define MANIFEST_ENTRY_BYTES 16 /* at least: kind and level, ten numbers, the checksum */

/* Under MR_FUZZING the checksum is computed but not believed, so that a fuzzer gets past it. */
#ifdef MR_FUZZING
#define CHECKSUM_IS(got, want) ((void)(got), (void)(want), true)
#else
#define CHECKSUM_IS(got, want) ((got) == (want))
#endif

void magstore_file_name(enum magstore_kind kind, uint64_t number, char out[static MAGSTORE_FILE_NAME_BYTES])
{
    if (kind == MAGSTORE_SEGMENT)
        snprintf(out, MAGSTORE_FILE_NAME_BYTES, "seg-%016" PRIx64 ".mrs", number);
    else
        snprintf(out, MAGSTORE_FILE_NAME_BYTES, "names-%016" PRIx64 ".mrn", number);
}

/* ---- the list ---------------------------------------------------------------------------------------- */

void magstore_manifest_release(struct magstore_manifest *m)
{
    mr_free(m->files);
    *m = (struct magstore_manifest)MAGSTORE_MANIFEST_INIT;
}

int magstore_manifest_copy(const struct magstore_manifest *from, struct magstore_manifest *out)
{
    struct magstore_manifest m = *from;
    m.files = NULL;
    m.files_cap = 0;
    if (m.nfiles != 0) {
        if (mr_grow((void **)&m.files, &m.files_cap, m.nfiles, sizeof *m.files) != MR_OK)
            return MR_ENOMEM;
        memcpy(m.files, from->files, m.nfiles * sizeof *m.files);
    }
    *out = m;
    return MR_OK;
}

/* The order of the list: by table, kind, number. */
static int compare(const struct magstore_file *a, const struct magstore_file *b)
{
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

int magstore_manifest_add(struct magstore_manifest *m, const struct magstore_file *file)
{
    if (mr_grow((void **)&m->files, &m->files_cap, m->nfiles + 1, sizeof *m->files) != MR_OK)
        return MR_ENOMEM;
    size_t low = 0, high = m->nfiles;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&m->files[middle], file) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    memmove(m->files + low + 1, m->files + low, (m->nfiles - low) * sizeof *m->files);
    m->files[low] = *file;
    m->nfiles++;
    return MR_OK;
}

bool magstore_manifest_remove(struct magstore_manifest *m, enum magstore_kind kind, uint64_t number)
{
    for (size_t i = 0; i < m->nfiles; i++) {
        if (m->files[i].kind != kind || m->files[i].number != number)
            continue;
        m->nfiles--;
        memmove(m->files + i, m->files + i + 1, (m->nfiles - i) * sizeof *m->files);
        return true;
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int magstore_manifest_check(const struct magstore_manifest *m)
{
    if (m->nfiles == 0)
        return MR_OK;
    uint64_t *numbers = mr_malloc(m->nfiles * sizeof *numbers);
    if (numbers == NULL)
        return MR_ENOMEM;
    bool ok = true;
    for (size_t i = 0; i < m->nfiles; i++) {
        const struct magstore_file *f = &m->files[i];
        numbers[i] = f->number;
        ok = ok && f->number < m->next_file && (f->kind == MAGSTORE_SEGMENT || f->kind == MAGSTORE_NAMES) &&
             (i == 0 || compare(f - 1, f) < 0);
    }
    qsort(numbers, m->nfiles, sizeof *numbers, by_number);
    for (size_t i = 1; i < m->nfiles; i++)
        ok = ok && numbers[i] != numbers[i - 1];
    mr_free(numbers);
    return ok ? MR_OK : MR_EINVAL;
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

static uint64_t zigzag(uint64_t v)
{
    return v << 1 ^ (0 - (v >> 63));
}

static uint64_t unzigzag(uint64_t v)
{
    return v >> 1 ^ (0 - (v & 1));
}

static void encode_file(struct mr_buf *out, const struct magstore_file *f)
{
    mr_buf_char(out, (char)f->kind);
    mr_buf_char(out, (char)f->level);
    mr_buf_varint(out, f->number);
    mr_buf_varint(out, f->database);
    mr_buf_varint(out, f->table);
    mr_buf_varint(out, f->key_generation);
    mr_buf_varint(out, f->size);
    mr_buf_varint(out, f->rows);
    mr_buf_varint(out, f->first_series);
    mr_buf_varint(out, f->last_series);
    mr_buf_varint(out, zigzag((uint64_t)f->time_min));
    mr_buf_varint(out, zigzag((uint64_t)f->time_max - (uint64_t)f->time_min));
    mr_buf_u32(out, f->footer_crc);
}

int magstore_manifest_encode(const struct magstore_manifest *m, struct mr_buf *out)
{
    size_t start = out->len;
    mr_buf_add(out, MANIFEST_MAGIC, 8);
    mr_buf_u32(out, MANIFEST_VERSION);
    mr_buf_u32(out, 0);
    mr_buf_u64(out, m->generation);
    mr_buf_u64(out, m->wal_low);
    mr_buf_u64(out, m->next_file);
    mr_buf_u64(out, m->nfiles);
    for (size_t i = 0; i < m->nfiles; i++)
        encode_file(out, &m->files[i]);
    if (!mr_buf_ok(out))
        return MR_ENOMEM;
    mr_buf_u32(out, mr_crc32c(0, out->ptr + start, out->len - start));
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

static uint32_t read_u32(struct mr_cursor *c)
{
    uint64_t v = mr_cursor_varint(c);
    if (v > UINT32_MAX)
        c->bad = true;
    return (uint32_t)v;
}

static void decode_file(struct mr_cursor *c, struct magstore_file *f)
{
    f->kind = (enum magstore_kind)mr_cursor_u8(c);
    f->level = mr_cursor_u8(c);
    f->number = mr_cursor_varint(c);
    f->database = mr_cursor_varint(c);
    f->table = mr_cursor_varint(c);
    f->key_generation = read_u32(c);
    f->size = mr_cursor_varint(c);
    f->rows = mr_cursor_varint(c);
    f->first_series = read_u32(c);
    f->last_series = read_u32(c);
    uint64_t low = unzigzag(mr_cursor_varint(c));
    f->time_min = (int64_t)low;
    f->time_max = (int64_t)(low + unzigzag(mr_cursor_varint(c)));
    f->footer_crc = mr_cursor_u32(c);
}

/* The entries, into a list of `count`, which the bytes left have room for. */
static int decode_files(struct mr_cursor *c, const char *start, size_t count, struct magstore_manifest *m,
                        struct mr_error *err)
{
    if (count != 0 && mr_grow((void **)&m->files, &m->files_cap, count, sizeof *m->files) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory reading a manifest");
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)((const char *)c->ptr - start);
        decode_file(c, &m->files[i]);
        if (c->bad)
            return mr_error_set(err, MR_ECORRUPT, "damaged manifest: entry %zu at offset %zu", i, at);
        m->nfiles++;
    }
    if (c->left != 0)
        return mr_error_set(err, MR_ECORRUPT, "damaged manifest: bytes after its entries at offset %zu",
                            (size_t)((const char *)c->ptr - start));
    int status = magstore_manifest_check(m);
    if (status == MR_EINVAL)
        return mr_error_set(err, MR_ECORRUPT, "damaged manifest: its file numbers do not fit, at offset %d",
                            MANIFEST_HEADER_BYTES);
    return status == MR_OK ? MR_OK : (int)mr_error_set(err, status, "out of memory reading a manifest");
}

int magstore_manifest_decode(struct mr_str bytes, struct magstore_manifest *out, struct mr_error *err)
{
    if (bytes.len < MANIFEST_HEADER_BYTES + 4)
        return mr_error_set(err, MR_ECORRUPT, "damaged manifest: it ends at offset %zu", bytes.len);
    size_t body = bytes.len - 4;
    uint32_t crc, computed = mr_crc32c(0, bytes.ptr, body);
    memcpy(&crc, bytes.ptr + body, 4);
    if (memcmp(bytes.ptr, MANIFEST_MAGIC, 8) != 0)
        return mr_error_set(err, MR_ECORRUPT, "damaged manifest: no manifest at offset 0");
    if (!CHECKSUM_IS(crc, computed))
        return mr_error_set(err, MR_ECORRUPT, "damaged manifest: wrong checksum at offset %zu", body);
    struct mr_cursor c = mr_cursor_of(bytes.ptr + 8, body - 8);
    uint32_t version = mr_cursor_u32(&c), zero = mr_cursor_u32(&c);
    if (version != MANIFEST_VERSION)
        return mr_error_set(err, MR_EUNSUPPORTED, "manifest of format version %u, which is not known here",
                            version);
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    m.generation = m.highest = mr_cursor_u64(&c);
    m.wal_low = mr_cursor_u64(&c);
    m.next_file = mr_cursor_u64(&c);
    uint64_t count = mr_cursor_u64(&c);
    if (zero != 0 || m.generation == 0 || count > c.left / MANIFEST_ENTRY_BYTES)
        return mr_error_set(err, MR_ECORRUPT, "damaged manifest: its header does not fit, at offset 12");
    int status = decode_files(&c, bytes.ptr, (size_t)count, &m, err);
    if (status == MR_OK)
        *out = m;
    else
        magstore_manifest_release(&m);
    return status;
}
