#include "store/view.h"

#include "base/log.h"

int segment_open(const struct mr_io *io, const char *dir, struct seal_keyring *keyring,
                 struct magstore_cache *cache, const struct magstore_file *file, struct store_segment **out)
{
    struct store_segment *segment = mr_calloc(1, sizeof *segment);
    if (segment == NULL)
        return MR_ENOMEM;
    const struct magstore_place place = {io, dir, keyring, file->database, file->table, file->number};
    segment->file = *file;
    segment->refs = 1;
    int rc = magstore_reader_open(&place, &segment->reader, &segment->damage);
    if (rc == MR_OK && magstore_reader_info(segment->reader)->footer_crc != file->footer_crc) {
        rc = mr_error_set(&segment->damage, MR_ECORRUPT, "segment %llu is not the one the manifest names",
                          (unsigned long long)file->number);
        magstore_reader_close(segment->reader);
        segment->reader = NULL;
    }
    if (rc == MR_ENOMEM) {
        mr_free(segment);
        return MR_ENOMEM;
    }
    if (rc == MR_OK)
        magstore_reader_use(segment->reader, cache);
    segment->closed = rc != MR_OK && seal_keyring_usable(keyring, file->database, NULL) != MR_OK;
    segment->unread = rc == MR_EIO && !segment->closed;
    if (rc != MR_OK && !segment->closed)
        mr_log(MR_LOG_ERROR, segment->unread ? "segment_unread" : "segment_damaged",
               "table=%llu file=%llu text=\"%s\"", (unsigned long long)file->table,
               (unsigned long long)file->number, segment->damage.text);
    *out = segment;
    return MR_OK;
}

void segment_unref(struct store_segment *segment)
{
    if (segment == NULL || __atomic_sub_fetch(&segment->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    magstore_reader_close(segment->reader);
    mr_free(segment);
}

static const struct view_table *find_table(const struct store_view *view, uint64_t table)
{
    size_t low = 0, high = view->ntables;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (view->tables[middle].table < table)
            low = middle + 1;
        else
            high = middle;
    }
    return low < view->ntables && view->tables[low].table == table ? &view->tables[low] : NULL;
}

static struct store_segment *find_in_view(const struct store_view *view, const struct magstore_file *file)
{
    const struct view_table *t = view != NULL ? find_table(view, file->table) : NULL;
    for (size_t i = 0; t != NULL && i < t->count; i++)
        if (view->segments[t->first + i]->file.number == file->number)
            return view->segments[t->first + i];
    return NULL;
}

static struct store_segment *find_fresh(struct store_segment *const *fresh, size_t nfresh, uint64_t number)
{
    for (size_t i = 0; i < nfresh; i++)
        if (fresh[i]->file.number == number)
            return fresh[i];
    return NULL;
}

static void add_segment(struct store_view *view, struct store_segment *segment)
{
    uint64_t table = segment->file.table;
    if (view->ntables == 0 || view->tables[view->ntables - 1].table != table)
        view->tables[view->ntables++] = (struct view_table){table, view->nsegments, 0};
    __atomic_fetch_add(&segment->refs, 1, __ATOMIC_RELAXED);
    view->segments[view->nsegments++] = segment;
    view->tables[view->ntables - 1].count++;
}

int view_make(const struct magstore_manifest *manifest, const struct store_view *before,
              struct store_segment *const *fresh, size_t nfresh, struct store_view **out)
{
    struct store_view *view = mr_calloc(1, sizeof *view);
    if (view == NULL)
        return MR_ENOMEM;
    view->refs = 1;
    view->tables = mr_calloc(manifest->nfiles, sizeof *view->tables);
    view->segments = mr_calloc(manifest->nfiles, sizeof(struct store_segment *));
    if (view->tables == NULL || view->segments == NULL) {
        view_unref(view);
        return MR_ENOMEM;
    }
    for (size_t i = 0; i < manifest->nfiles; i++) {
        const struct magstore_file *file = &manifest->files[i];
        if (file->kind != MAGSTORE_SEGMENT)
            continue;
        struct store_segment *segment = find_fresh(fresh, nfresh, file->number);
        if (segment == NULL)
            segment = find_in_view(before, file);
        MR_ASSERT(segment != NULL);
        add_segment(view, segment);
    }
    *out = view;
    return MR_OK;
}

struct store_view *view_ref(struct store_view *view)
{
    __atomic_fetch_add(&view->refs, 1, __ATOMIC_RELAXED);
    return view;
}

void view_unref(struct store_view *view)
{
    if (view == NULL || __atomic_sub_fetch(&view->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < view->nsegments; i++)
        segment_unref(view->segments[i]);
    mr_free(view->tables);
    mr_free(view->segments);
    mr_free(view);
}

const struct store_segment *view_segment(const struct store_view *view, const struct magstore_file *file)
{
    return find_in_view(view, file);
}

size_t view_count(const struct store_view *view, uint64_t table)
{
    const struct view_table *t = find_table(view, table);
    return t != NULL ? t->count : 0;
}

int view_readers(const struct store_view *view, uint64_t table, int64_t from, int64_t to,
                 struct magstore_reader **out, size_t *count, uint64_t *rows, struct mr_error *err)
{
    const struct view_table *t = find_table(view, table);
    *count = 0;
    for (size_t i = 0; t != NULL && i < t->count; i++) {
        const struct store_segment *segment = view->segments[t->first + i];
        if (segment->file.time_max < from || segment->file.time_min > to)
            continue;
        if (segment->reader == NULL)
            return mr_error_set(err, segment->damage.status, "%s", segment->damage.text);
        out[(*count)++] = segment->reader;
        if (rows != NULL)
            *rows += segment->file.rows;
    }
    return MR_OK;
}
