/* care/segment.c - reads a segment as no query does: all blocks, all columns, and holds them against the
 * directory, the manifest and the names of the table. */
#include "care/segment.h"

#include <inttypes.h>
#include <stdio.h>

struct walk {
    struct care_segment *s;
    struct magstore_reader *reader;
    struct magstore_page *page;
    bool any; /* a row was seen: it was (series, time) */
    uint32_t series;
    int64_t time;
};

static void fault(struct walk *w, uint32_t block, const char *what)
{
    char text[512], name[MAGSTORE_NAME_BYTES];
    magstore_segment_name(w->s->place.number, name);
    snprintf(text, sizeof text, "%s is damaged at offset %" PRIu64 ": block %" PRIu32 ": %s", name,
             magstore_reader_block(w->reader, block)->offset, block, what);
    w->s->fault(w->s->ctx, text);
}

/* NULL, or what is wrong with the order and the bounds of the block's rows. */
static const char *check_rows(struct walk *w, const struct magstore_block *b)
{
    uint32_t nruns, at = 0;
    const struct magstore_run *runs = magstore_page_runs(w->page, &nruns);
    const int64_t *times = magstore_page_times(w->page);
    for (uint32_t r = 0; r < nruns; r++) {
        if (runs[r].first != at || runs[r].rows == 0 || runs[r].rows > b->rows - at)
            return "its runs of rows do not fill it";
        for (uint32_t i = at; i < at + runs[r].rows; i++) {
            bool after =
                !w->any || runs[r].series > w->series || (runs[r].series == w->series && times[i] > w->time);
            if (!after)
                return "its rows are not in order";
            if (times[i] < b->time_min || times[i] > b->time_max)
                return "a row is outside of the times that the directory says";
            w->any = true;
            w->series = runs[r].series;
            w->time = times[i];
        }
        at += runs[r].rows;
    }
    if (at != b->rows || nruns == 0 || runs[0].series != b->first_series || w->series != b->last_series ||
        times[0] != b->first_time || w->time != b->last_time)
        return "the directory says something else of its rows";
    return NULL;
}

static uint32_t count_valid(const struct magstore_values *v, uint32_t rows)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < rows && v->valid != NULL; i++)
        n += v->valid[i] != 0;
    return v->valid != NULL ? n : rows;
}

/* Does the table know the column, with that type? Types have one numbering (store/append.c). */
static bool fits_names(const struct walk *w, uint32_t column, enum magstore_type type)
{
    struct mem_schema schema;
    if (w->s->names == NULL)
        return true;
    mem_read_lock(w->s->names);
    mem_schema_view(w->s->names, &schema);
    bool fits = column < schema.ncolumns && (int)schema.columns[column].type == (int)type;
    mem_read_unlock(w->s->names);
    return fits;
}

static int check_columns(struct walk *w, uint32_t rows, const char **why, struct mr_error *err)
{
    uint32_t ncolumns;
    const uint32_t *columns = magstore_page_columns(w->page, &ncolumns);
    for (uint32_t i = 0; i < ncolumns && *why == NULL; i++) {
        struct magstore_values values;
        struct magstore_stats stats;
        uint32_t column = columns[i];
        int status = magstore_page_column(w->page, column, &values, err);
        if (status != MR_OK)
            return status;
        magstore_page_stats(w->page, column, &stats);
        if (stats.type != values.type || stats.count != count_valid(&values, rows))
            *why = "its head says something else of a column";
        else if (!fits_names(w, column, values.type))
            *why = "it has a column that its table does not have";
    }
    return MR_OK;
}

static int check_versions(struct walk *w, uint32_t rows, const char **why, struct mr_error *err)
{
    const int64_t *versions;
    int status = magstore_page_versions(w->page, &versions, err);
    for (uint32_t i = 0; status == MR_OK && versions != NULL && i < rows; i++)
        if (versions[i] < 1)
            *why = "a version below 1";
    return status;
}

static int check_block(struct walk *w, uint32_t index, struct mr_error *err)
{
    const struct magstore_block *b = magstore_reader_block(w->reader, index);
    const char *why = NULL;
    struct mr_error local = MR_ERROR_INIT;
    int status = magstore_page_load(w->page, w->reader, index, &local);
    if (status == MR_OK)
        why = check_rows(w, b);
    if (status == MR_OK && why == NULL)
        status = check_versions(w, b->rows, &why, &local);
    if (status == MR_OK && why == NULL)
        status = check_columns(w, b->rows, &why, &local);
    if (status != MR_OK && status != MR_ECORRUPT)
        return mr_error_set(err, (enum mr_status)status, "%s", local.text);
    if (status == MR_ECORRUPT)
        w->s->fault(w->s->ctx, local.text);
    else if (why != NULL)
        fault(w, index, why);
    if (status == MR_OK && why == NULL) {
        w->s->blocks++;
        w->s->rows += b->rows;
        return MR_OK;
    }
    w->any = true; /* what follows is held against the directory alone */
    w->series = b->last_series;
    w->time = b->last_time;
    return MR_OK;
}

/* The manifest speaks of this file, and the table knows its series. */
static const char *check_info(struct walk *w)
{
    const struct magstore_info *i = magstore_reader_info(w->reader);
    const struct magstore_file *f = w->s->file;
    if (i->footer_crc != f->footer_crc || i->size != f->size || i->rows != f->rows ||
        i->first_series != f->first_series || i->last_series != f->last_series ||
        i->time_min != f->time_min || i->time_max != f->time_max || i->key_generation != f->key_generation)
        return "it is another file than the manifest says";
    struct mem_counts counts = {.next_series = UINT32_MAX};
    if (w->s->names != NULL) {
        mem_read_lock(w->s->names);
        mem_counts(w->s->names, &counts);
        mem_read_unlock(w->s->names);
    }
    return w->s->names != NULL && i->last_series >= counts.next_series
               ? "it has a series that its table does not have"
               : NULL;
}

static int walk_blocks(struct walk *w, struct mr_error *err)
{
    const struct magstore_info *info = magstore_reader_info(w->reader);
    uint64_t rest = info->size;
    int status = MR_OK;
    for (uint32_t i = 0; i < info->blocks && status == MR_OK; i++) {
        const struct magstore_block *b = magstore_reader_block(w->reader, i);
        status = check_block(w, i, err);
        rest -= b->bytes;
        if (status == MR_OK && !w->s->step(w->s->ctx, b->bytes))
            status = mr_error_set(err, MR_ECANCEL, "stopped");
    }
    if (status == MR_OK && !w->s->step(w->s->ctx, rest))
        status = mr_error_set(err, MR_ECANCEL, "stopped");
    return status;
}

int care_segment_check(struct care_segment *s, struct mr_error *err)
{
    struct walk w = {.s = s};
    struct mr_error local = MR_ERROR_INIT;
    s->blocks = s->rows = 0;
    int status = magstore_reader_open(&s->place, &w.reader, &local);
    if (status == MR_ECORRUPT) {
        s->fault(s->ctx, local.text);
        return s->step(s->ctx, s->file->size) ? MR_OK : (int)mr_error_set(err, MR_ECANCEL, "stopped");
    }
    if (status != MR_OK)
        return mr_error_set(err, (enum mr_status)status, "%s", local.text);
    const char *why = check_info(&w);
    if (why != NULL) {
        char text[256], name[MAGSTORE_NAME_BYTES];
        magstore_segment_name(s->place.number, name);
        snprintf(text, sizeof text, "%s is damaged at offset %" PRIu64 ": %s", name,
                 magstore_reader_info(w.reader)->size, why);
        s->fault(s->ctx, text);
    }
    if (magstore_page_new(&w.page) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory checking a segment");
    if (status == MR_OK) {
        magstore_page_past_cache(w.page);
        status = walk_blocks(&w, err);
    }
    magstore_page_free(w.page);
    magstore_reader_close(w.reader);
    return status;
}
