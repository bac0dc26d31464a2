/* Any bytes as a file of names: refused, or a table that can be written and read again. Under MR_FUZZING
 * checksums and seals are not believed and entries may lie there uncompressed; what the manifest would say of
 * the file is taken from the file itself. */
#include "store/names.h"
#include "store/names_format.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* One file, which may grow; whatever its name. */
struct disk {
    struct mr_io io;
    struct mr_buf bytes;
};

static int disk_open(void *ctx, const char *path, int flags, unsigned mode)
{
    MR_UNUSED(ctx);
    MR_UNUSED(path);
    MR_UNUSED(flags);
    MR_UNUSED(mode);
    return 1;
}

static int disk_nothing(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    MR_UNUSED(fd);
    return 0;
}

static int64_t disk_size(void *ctx, int fd)
{
    MR_UNUSED(fd);
    return (int64_t)((struct disk *)ctx)->bytes.len;
}

static ssize_t disk_pread(void *ctx, int fd, void *buf, size_t len, int64_t offset)
{
    const struct mr_buf *b = &((struct disk *)ctx)->bytes;
    MR_UNUSED(fd);
    if (offset < 0 || (uint64_t)offset >= b->len)
        return 0;
    if (len > b->len - (size_t)offset)
        len = b->len - (size_t)offset;
    memcpy(buf, b->ptr + offset, len);
    return (ssize_t)len;
}

static ssize_t disk_pwrite(void *ctx, int fd, const void *buf, size_t len, int64_t offset)
{
    struct mr_buf *b = &((struct disk *)ctx)->bytes;
    MR_UNUSED(fd);
    require((uint64_t)offset == b->len);
    mr_buf_add(b, buf, len);
    return mr_buf_ok(b) ? (ssize_t)len : -ENOSPC;
}

static int disk_rename(void *ctx, const char *from, const char *to)
{
    MR_UNUSED(ctx);
    MR_UNUSED(from);
    MR_UNUSED(to);
    return 0;
}

static void disk_init(struct disk *disk)
{
    *disk = (struct disk){.io = {.open = disk_open,
                                 .close = disk_nothing,
                                 .pread = disk_pread,
                                 .pwrite = disk_pwrite,
                                 .fsync = disk_nothing,
                                 .size = disk_size,
                                 .rename = disk_rename}};
    disk->io.ctx = disk;
}

static struct magstore_file describe(const uint8_t *data, size_t size)
{
    struct magstore_file f = {.kind = MAGSTORE_NAMES, .size = size, .first_series = 1};
    struct names_header h;
    struct names_end end;
    if (size < sizeof h + sizeof(struct names_frame) + sizeof end + SEAL_TAG_BYTES)
        return f;
    memcpy(&h, data, sizeof h);
    memcpy(&end, data + size - SEAL_TAG_BYTES - sizeof end, sizeof end);
    f.database = h.database;
    f.table = h.table;
    f.number = h.number;
    f.key_generation = h.key_generation;
    f.rows = end.series;
    if (end.first_series < end.end_series) {
        f.first_series = end.first_series;
        f.last_series = end.end_series - 1;
    }
    return f;
}

static void open_table(struct mem_budget *budget, struct mem_table **mem)
{
    *budget = (struct mem_budget){.limit = 0};
    require(mem_table_open(budget, mem) == MR_OK);
}

static void close_table(struct mem_budget *budget, struct mem_table *mem)
{
    mem_table_close(mem);
    require(mem_budget_bytes(budget) == 0);
}

static void write_and_read_again(struct mem_table *mem)
{
    struct disk disk;
    struct magstore_file file;
    struct mem_budget budget;
    struct mem_table *again;
    struct mem_counts a, b;
    struct mem_schema sa, sb;
    uint32_t columns, measures, series;
    disk_init(&disk);
    require(names_write(&disk.io, "d", NULL, 1, 2, 3, mem, 0, 0, 0, &file, &columns, &measures, &series,
                        NULL) == MR_OK);
    open_table(&budget, &again);
    require(names_read(&disk.io, "d", NULL, &file, again, 5, NULL) == MR_OK);
    mem_counts(mem, &a);
    mem_counts(again, &b);
    mem_schema_view(mem, &sa);
    mem_schema_view(again, &sb);
    require(a.series == b.series && a.next_series == b.next_series && b.next_series == series);
    require(sa.ncolumns == sb.ncolumns && sa.nmeasures == sb.nmeasures && columns == sb.ncolumns);
    close_table(&budget, again);
    mr_buf_release(&disk.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct disk disk;
    struct mem_budget budget;
    struct mem_table *mem;
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_file file = describe(data, size);
    disk_init(&disk);
    mr_buf_add(&disk.bytes, data, size);
    open_table(&budget, &mem);
    int status = names_read(&disk.io, "d", NULL, &file, mem, 0, &err);
    if (status == MR_OK)
        write_and_read_again(mem);
    else
        require(status == MR_ECORRUPT || status == MR_EUNSUPPORTED);
    close_table(&budget, mem);
    mr_buf_release(&disk.bytes);
    return 0;
}
