/* A manifest as bytes. Header and entries have fixed sizes; the last four bytes are the checksum of all
 * before.
 */
#include "magstore/manifest.h"

#include "base/cursor.h"
#include "magstore/format.h"

#include <stdlib.h>

#define MANIFEST_MAGIC UINT64_C(0x54534546494E414D) /* "MANIFEST" */
#define MANIFEST_VERSION 1

struct manifest_header {
    uint64_t magic;
    uint16_t version;
    uint8_t seal; /* 0: plain */
    uint8_t zero1;
    uint32_t zero2;
    uint64_t generation;
    uint64_t wal_low;
    uint64_t next_segment;
    uint64_t nsegments;
    uint64_t ndropped;
};
_Static_assert(sizeof(struct manifest_header) == 56, "stored");
_Static_assert(offsetof(struct manifest_header, seal) == 10, "stored");
_Static_assert(offsetof(struct manifest_header, generation) == 16, "stored");
_Static_assert(offsetof(struct manifest_header, next_segment) == 32, "stored");
_Static_assert(offsetof(struct manifest_header, ndropped) == 48, "stored");

_Static_assert(sizeof(struct magstore_manifest_segment) == 56, "stored as it lies");
_Static_assert(offsetof(struct magstore_manifest_segment, table) == 8, "stored");
_Static_assert(offsetof(struct magstore_manifest_segment, rows) == 24, "stored");
_Static_assert(offsetof(struct magstore_manifest_segment, time_min) == 32, "stored");
_Static_assert(offsetof(struct magstore_manifest_segment, footer_crc) == 48, "stored");
_Static_assert(offsetof(struct magstore_manifest_segment, level) == 52, "stored");

void magstore_manifest_release(struct magstore_manifest *m)
{
    mr_free(m->segments);
    mr_free(m->dropped);
    *m = (struct magstore_manifest)MAGSTORE_MANIFEST_INIT;
}

int magstore_manifest_encode(const struct magstore_manifest *m, struct mr_buf *out)
{
    struct manifest_header h = {
        .magic = MANIFEST_MAGIC,
        .version = MANIFEST_VERSION,
        .generation = m->generation,
        .wal_low = m->wal_low,
        .next_segment = m->next_segment,
        .nsegments = m->nsegments,
        .ndropped = m->ndropped,
    };
    size_t start = out->len;
    mr_buf_add(out, &h, sizeof h);
    if (m->nsegments != 0)
        mr_buf_add(out, m->segments, m->nsegments * sizeof *m->segments);
    if (m->ndropped != 0)
        mr_buf_add(out, m->dropped, m->ndropped * sizeof *m->dropped);
    if (!mr_buf_ok(out))
        return MR_ENOMEM;
    mr_buf_u32(out, mr_crc32c(0, out->ptr + start, out->len - start));
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Every number once, and below next_segment. */
int magstore_manifest_check(const struct magstore_manifest *m)
{
    uint64_t *numbers = mr_malloc((m->nsegments + 1) * sizeof *numbers);
    if (numbers == NULL)
        return MR_ENOMEM;
    bool ok = true;
    for (size_t i = 0; i < m->nsegments; i++) {
        numbers[i] = m->segments[i].number;
        ok = ok && numbers[i] < m->next_segment;
    }
    if (m->nsegments > 1)
        qsort(numbers, m->nsegments, sizeof *numbers, by_number);
    for (size_t i = 1; i < m->nsegments; i++)
        ok = ok && numbers[i] != numbers[i - 1];
    mr_free(numbers);
    return ok ? MR_OK : MR_EINVAL;
}

static int copy_lists(struct mr_cursor *c, const struct manifest_header *h, struct magstore_manifest *m)
{
    size_t segments = h->nsegments * sizeof *m->segments, dropped = h->ndropped * sizeof *m->dropped;
    m->segments = mr_malloc(segments + 1);
    m->dropped = mr_malloc(dropped + 1);
    if (m->segments == NULL || m->dropped == NULL)
        return MR_ENOMEM;
    m->nsegments = m->segments_cap = h->nsegments;
    m->ndropped = m->dropped_cap = h->ndropped;
    memcpy(m->segments, mr_cursor_bytes(c, segments).ptr, segments);
    memcpy(m->dropped, mr_cursor_bytes(c, dropped).ptr, dropped);
    return MR_OK;
}

int magstore_manifest_decode(struct mr_str bytes, struct magstore_manifest *out, struct mr_error *err)
{
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    struct manifest_header h;
    struct mr_str fixed = mr_cursor_bytes(&c, sizeof h);
    if (c.bad || c.left < 4)
        return mr_error_set(err, MR_ECORRUPT, "manifest ends early at offset %zu", bytes.len);
    memcpy(&h, fixed.ptr, sizeof h);
    uint32_t crc;
    memcpy(&crc, bytes.ptr + bytes.len - 4, 4);
    if (h.magic != MANIFEST_MAGIC || !SEGMENT_CRC_IS(crc, mr_crc32c(0, bytes.ptr, bytes.len - 4)))
        return mr_error_set(err, MR_ECORRUPT, "damaged manifest at offset 0");
    if (h.version != MANIFEST_VERSION || h.seal != 0)
        return mr_error_set(err, MR_EUNSUPPORTED, "manifest of format version %u, seal %u", h.version,
                            h.seal);
    size_t left = c.left - 4, entry = sizeof *out->segments;
    if (h.zero1 != 0 || h.zero2 != 0 || h.nsegments > left / entry ||
        h.ndropped != (left - h.nsegments * entry) / 8 || (left - h.nsegments * entry) % 8 != 0)
        return mr_error_set(err, MR_ECORRUPT, "damaged manifest at offset 40");
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    m.generation = m.highest = h.generation;
    m.wal_low = h.wal_low;
    m.next_segment = h.next_segment;
    int status = copy_lists(&c, &h, &m);
    if (status == MR_OK)
        status = magstore_manifest_check(&m);
    if (status != MR_OK) {
        magstore_manifest_release(&m);
        if (status == MR_EINVAL)
            return mr_error_set(err, MR_ECORRUPT, "damaged segment numbers in the manifest at offset 56");
        return mr_error_set(err, status, "out of memory reading a manifest");
    }
    *out = m;
    return MR_OK;
}
