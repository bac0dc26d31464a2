/* magstore/reader.c - opens a segment: header, footer, directory. Layout: docs/format/segment.md. */
#include "magstore/reader.h"

#include "base/hash.h"
#include "magstore/cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

int magstore_damaged(const struct magstore_reader *r, uint64_t offset, const char *what, struct mr_error *err)
{
    return mr_error_set(err, MR_ECORRUPT, "%s is damaged at offset %" PRIu64 ": %s", r->path, offset, what);
}

static int no_memory(const struct magstore_reader *r, struct mr_error *err)
{
    return mr_error_set(err, MR_ENOMEM, "out of memory opening %s", r->path != NULL ? r->path : "a segment");
}

static int open_file(struct magstore_reader *r, const struct magstore_place *place, struct mr_error *err)
{
    char name[MAGSTORE_NAME_BYTES];
    magstore_segment_name(place->number, name);
    size_t len = strlen(place->dir) + 1 + strlen(name) + 1;
    r->path = mr_malloc(len);
    if (r->path == NULL)
        return no_memory(r, err);
    snprintf(r->path, len, "%s/%s", place->dir, name);
    int fd = r->io->open(r->io->ctx, r->path, O_RDONLY, 0);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot open %s", r->path);
    r->fd = fd;
    int64_t size = r->io->size(r->io->ctx, fd);
    if (size < 0)
        return mr_error_errno(err, mr_io_status(size), (int)-size, "cannot read %s", r->path);
    r->info.size = (uint64_t)size;
    if (r->info.size < sizeof(struct segment_header) + sizeof(struct segment_footer))
        return magstore_damaged(r, r->info.size, "too short for a segment", err);
    return MR_OK;
}

/* The header is of this file and no other. */
static int read_header(struct magstore_reader *r, struct segment_header *h, struct mr_error *err)
{
    int status = mr_io_pread_full(r->io, r->fd, h, sizeof *h, 0, r->path, err);
    if (status != MR_OK)
        return status;
    if (memcmp(h->magic, SEGMENT_MAGIC, sizeof h->magic) != 0)
        return magstore_damaged(r, 0, "not a segment", err);
    if (!SEGMENT_CRC_IS(h->crc, mr_crc32c(0, h, offsetof(struct segment_header, crc))) || h->zero != 0)
        return magstore_damaged(r, 0, "damaged header", err);
    if (h->version != SEGMENT_VERSION)
        return magstore_damaged(r, offsetof(struct segment_header, version), "unknown version", err);
    if (h->database != r->locks.database || h->table != r->locks.table || h->number != r->locks.number)
        return magstore_damaged(r, offsetof(struct segment_header, database),
                                "of another table, or another file", err);
    r->info.key_generation = h->key_generation;
    return MR_OK;
}

static int find_key(struct magstore_reader *r, const struct magstore_place *place,
                    const struct segment_header *h, struct mr_error *err)
{
#ifdef MR_FUZZING
    MR_UNUSED(r);
    MR_UNUSED(place);
    MR_UNUSED(h);
    MR_UNUSED(err);
    return MR_OK;
#else
    struct seal_key key;
    int status = seal_keyring_get(place->keyring, place->database, h->key_generation, &key, err);
    if (status == MR_OK)
        status = seal_derive(&key, h->id, &r->locks.key, err);
    seal_key_wipe(&key);
    return status;
#endif
}

static int read_footer(struct magstore_reader *r, uint32_t header_crc, struct segment_footer *f,
                       struct mr_error *err)
{
    uint64_t at = r->info.size - sizeof *f;
    int status = mr_io_pread_full(r->io, r->fd, f, sizeof *f, (int64_t)at, r->path, err);
    if (status != MR_OK)
        return status;
    if (memcmp(f->magic, SEGMENT_END_MAGIC, sizeof f->magic) != 0)
        return magstore_damaged(r, at, "no footer", err);
    if (!SEGMENT_CRC_IS(f->crc, mr_crc32c(0, f, offsetof(struct segment_footer, crc))) ||
        !SEGMENT_CRC_IS(f->header_crc, header_crc) || f->version != SEGMENT_VERSION)
        return magstore_damaged(r, at, "damaged footer", err);
    if (f->directory_bytes < SEGMENT_PIECE_EXTRA || f->directory_offset < sizeof(struct segment_header) ||
        f->directory_offset > at || f->directory_bytes != at - f->directory_offset)
        return magstore_damaged(r, at, "a directory outside the file", err);
    r->info.footer_crc = f->crc;
    return MR_OK;
}

/* What the footer says in the clear is what the sealed directory says. */
static int sum_up(struct magstore_reader *r, const struct segment_footer *f, struct mr_error *err)
{
    struct magstore_info *info = &r->info;
    const struct magstore_block *last = &r->entries[f->blocks - 1].block;
    info->blocks = f->blocks;
    info->first_series = r->entries[0].block.first_series;
    info->last_series = last->last_series;
    info->time_min = INT64_MAX;
    info->time_max = INT64_MIN;
    for (size_t i = 0; i < f->blocks; i++) {
        const struct magstore_block *b = &r->entries[i].block;
        info->rows += b->rows;
        info->time_min = b->time_min < info->time_min ? b->time_min : info->time_min;
        info->time_max = b->time_max > info->time_max ? b->time_max : info->time_max;
    }
    if (info->rows != f->rows || info->first_series != f->first_series ||
        info->last_series != f->last_series || info->time_min != f->time_min || info->time_max != f->time_max)
        return magstore_damaged(r, info->size - sizeof *f, "the footer is of another directory", err);
    return MR_OK;
}

static int read_directory(struct magstore_reader *r, const struct segment_footer *f, struct mr_error *err)
{
    struct seal_cipher *cipher = NULL;
    char *bytes = mr_malloc(f->directory_bytes);
    int status = bytes != NULL ? seal_cipher_new(&cipher) : MR_ENOMEM;
    if (status != MR_OK) {
        status = no_memory(r, err);
        goto done;
    }
    status =
        mr_io_pread_full(r->io, r->fd, bytes, f->directory_bytes, (int64_t)f->directory_offset, r->path, err);
    if (status != MR_OK)
        goto done;
    const struct magstore_piece piece = {SEGMENT_DIRECTORY, 0, 0, f->directory_counter};
    const char *wrong = NULL;
    if (!SEGMENT_CRC_IS(f->directory_crc, mr_crc32c(0, bytes, f->directory_bytes)))
        wrong = "damaged directory";
    if (wrong == NULL)
        wrong =
            magstore_piece_open(cipher, &r->locks, &piece, (struct mr_str){bytes, f->directory_bytes}, bytes);
    if (wrong == NULL)
        wrong = magstore_directory_parse((struct mr_str){bytes, f->directory_bytes - SEGMENT_PIECE_EXTRA},
                                         f->blocks, f->directory_offset, &r->entries);
    if (wrong != NULL)
        status = wrong[0] != '\0' ? magstore_damaged(r, f->directory_offset, wrong, err) : no_memory(r, err);
done:
    seal_cipher_free(cipher);
    mr_free(bytes);
    return status;
}

int magstore_reader_open(const struct magstore_place *place, struct magstore_reader **out,
                         struct mr_error *err)
{
    static atomic_uint_fast64_t opened;
    struct segment_header header;
    struct segment_footer footer;
    *out = NULL;
    struct magstore_reader *r = mr_calloc(1, sizeof *r);
    if (r == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening a segment");
    r->id = atomic_fetch_add(&opened, 1) + 1;
    r->io = place->io;
    r->fd = -1;
    r->locks.database = r->info.database = place->database;
    r->locks.table = r->info.table = place->table;
    r->locks.number = place->number;
    int status = open_file(r, place, err);
    if (status == MR_OK)
        status = read_header(r, &header, err);
    if (status == MR_OK)
        status = read_footer(r, header.crc, &footer, err);
    if (status == MR_OK)
        status = find_key(r, place, &header, err);
    if (status == MR_OK)
        status = read_directory(r, &footer, err);
    if (status == MR_OK)
        status = sum_up(r, &footer, err);
    if (status != MR_OK) {
        magstore_reader_close(r);
        return status;
    }
    *out = r;
    return MR_OK;
}

void magstore_reader_use(struct magstore_reader *r, struct magstore_cache *cache)
{
    r->cache = cache;
}

void magstore_reader_close(struct magstore_reader *r)
{
    if (r == NULL)
        return;
    if (r->cache != NULL)
        magstore_cache_forget(r->cache, r->id);
    if (r->fd >= 0)
        r->io->close(r->io->ctx, r->fd);
    seal_key_wipe(&r->locks.key);
    mr_free(r->path);
    mr_free(r->entries);
    mr_free(r);
}
