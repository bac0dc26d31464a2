/* wal/list.c - which segments a directory holds. */
#include "wal/read.h"

#include <inttypes.h>
#include <stdlib.h>

void wal_segment_name(uint64_t sequence, char out[static WAL_NAME_BYTES])
{
    snprintf(out, WAL_NAME_BYTES, "wal-%016" PRIx64 ".log", sequence);
}

/* Exactly the form that wal_segment_name prints; anything else in the directory is not ours. */
static bool parse_name(const char *name, uint64_t *sequence)
{
    uint64_t v = 0;
    if (strlen(name) != 24 || memcmp(name, "wal-", 4) != 0 || memcmp(name + 20, ".log", 4) != 0)
        return false;
    for (int i = 4; i < 20; i++) {
        char c = name[i];
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *sequence = v;
    return true;
}

static int add_name(void *arg, const char *name)
{
    struct wal_list *list = arg;
    uint64_t sequence;
    if (!parse_name(name, &sequence))
        return 0;
    if (mr_grow((void **)&list->sequences, &list->cap, list->count + 1, sizeof *list->sequences) != MR_OK)
        return 1;
    list->sequences[list->count++] = sequence;
    return 0;
}

static int by_sequence(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int wal_list_read(const struct mr_io *io, const char *dir, struct wal_list *out, struct mr_error *err)
{
    *out = (struct wal_list){NULL, 0, 0};
    int rc = io->list(io->ctx, dir, add_name, out);
    if (rc != 0) {
        wal_list_release(out);
        if (rc > 0)
            return mr_error_set(err, MR_ENOMEM, "out of memory listing %s", dir);
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot list %s", dir);
    }
    if (out->count > 1)
        qsort(out->sequences, out->count, sizeof *out->sequences, by_sequence);
    return MR_OK;
}

void wal_list_release(struct wal_list *list)
{
    mr_free(list->sequences);
    *list = (struct wal_list){NULL, 0, 0};
}
