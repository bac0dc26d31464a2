/* Merging: series by series in the order of keys, within a series by time, in runs that are copied column by
 * column. */
#include "magstore/merge.h"

#include "base/base.h"

struct source {
    const struct magstore_reader *reader;
    uint64_t next;                 /* series not yet taken */
    struct magstore_series series; /* that one */
    bool here;                     /* it is the one being merged */
    struct magstore_walk walk;
    struct magstore_page *page;
    struct magstore_rows rows; /* of the block at hand */
    size_t at;                 /* row in it; rows.count: at the end of the series */
};

struct merge {
    struct source *sources;
    size_t nsources;
    struct magstore_writer *writer;
    struct magstore_column *columns; /* of all sources */
    size_t ncolumns;
    struct magstore_values *slice; /* room for as many */
    int64_t cutoff;
    bool series_open;
    struct magstore_merged *out;
};

static bool same_column(const struct magstore_column *a, const struct magstore_column *b)
{
    return a->type == b->type && a->role == b->role && mr_str_eq(a->name, b->name);
}

/* Adds the columns of a reader, which ascend, to those there are, which do too. */
static int add_columns(struct merge *m, const struct magstore_reader *reader)
{
    size_t n, a = 0, b = 0, k = 0;
    const struct magstore_column *more = magstore_reader_columns(reader, &n);
    struct magstore_column *all = mr_malloc((m->ncolumns + n + 1) * sizeof *all);
    if (all == NULL)
        return MR_ENOMEM;
    int status = MR_OK;
    while (a < m->ncolumns || b < n) {
        if (b == n || (a < m->ncolumns && m->columns[a].id < more[b].id)) {
            all[k++] = m->columns[a++];
        } else if (a == m->ncolumns || more[b].id < m->columns[a].id) {
            all[k++] = more[b++];
        } else {
            if (!same_column(&m->columns[a], &more[b]))
                status = MR_ECORRUPT;
            all[k++] = m->columns[a++];
            b++;
        }
    }
    mr_free(m->columns);
    m->columns = all;
    m->ncolumns = k;
    return status;
}

static void look_at_series(struct source *s)
{
    if (s->next < magstore_reader_info(s->reader)->series)
        magstore_reader_series(s->reader, s->next, &s->series);
}

static void look_at_next(struct source *s)
{
    s->next++;
    look_at_series(s);
}

static int set_up(struct merge *m, struct magstore_reader *const *readers, size_t n, struct mr_error *err)
{
    m->sources = mr_calloc(n, sizeof *m->sources);
    if (m->sources == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory merging");
    m->nsources = n;
    for (size_t i = 0; i < n; i++) {
        m->sources[i].reader = readers[i];
        m->out->rows_in += magstore_reader_info(readers[i])->rows;
        look_at_series(&m->sources[i]);
        int status = magstore_page_new(&m->sources[i].page);
        if (status == MR_OK)
            status = add_columns(m, readers[i]);
        if (status == MR_ECORRUPT)
            return mr_error_set(err, status, "segments of one table disagree about a column");
        if (status != MR_OK)
            return mr_error_set(err, status, "out of memory merging");
    }
    m->slice = mr_calloc(m->ncolumns + 1, sizeof *m->slice);
    return m->slice != NULL ? MR_OK : mr_error_set(err, MR_ENOMEM, "out of memory merging");
}

static void tear_down(struct merge *m)
{
    for (size_t i = 0; i < m->nsources; i++)
        magstore_page_free(m->sources[i].page);
    mr_free(m->sources);
    mr_free(m->columns);
    mr_free(m->slice);
}

/* The least key that is next somewhere; NULL at the end. */
static const struct magstore_key *least_key(const struct merge *m)
{
    const struct magstore_key *least = NULL;
    for (size_t i = 0; i < m->nsources; i++) {
        const struct source *s = &m->sources[i];
        if (s->next < magstore_reader_info(s->reader)->series &&
            (least == NULL || magstore_key_cmp(&s->series.key, least) < 0))
            least = &s->series.key;
    }
    return least;
}

/* The next block of the series into the page; none: rows.count is 0. */
static int next_block(const struct merge *m, struct source *s, struct mr_error *err)
{
    struct magstore_block block;
    s->at = 0;
    s->rows.count = 0;
    if (!magstore_walk_next(&s->walk, &block))
        return MR_OK;
    int status = magstore_read_all(s->reader, &block, s->page, &s->rows, err);
    while (status == MR_OK && s->rows.times[s->at] < m->cutoff)
        s->at++; /* the block ends at or after the cutoff */
    return status;
}

static int start_series(struct merge *m, const struct magstore_key *key, struct mr_error *err)
{
    int status = MR_OK;
    for (size_t i = 0; status == MR_OK && i < m->nsources; i++) {
        struct source *s = &m->sources[i];
        s->here =
            s->next < magstore_reader_info(s->reader)->series && magstore_key_cmp(&s->series.key, key) == 0;
        s->rows.count = s->at = 0;
        if (!s->here)
            continue;
        magstore_walk_start(s->reader, s->next, m->cutoff, INT64_MAX, &s->walk);
        status = next_block(m, s, err);
    }
    m->series_open = false;
    return status;
}

static int64_t version_at(const struct source *s)
{
    return s->rows.versions != NULL ? s->rows.versions[s->at] : 1;
}

/* The source whose row comes next: least time, then highest version, then first. NULL: the series is done. */
static struct source *winner(const struct merge *m)
{
    struct source *best = NULL;
    for (size_t i = 0; i < m->nsources; i++) {
        struct source *s = &m->sources[i];
        if (s->at == s->rows.count)
            continue;
        int64_t time = s->rows.times[s->at];
        if (best == NULL || time < best->rows.times[best->at] ||
            (time == best->rows.times[best->at] && version_at(s) > version_at(best)))
            best = s;
    }
    return best;
}

/* How many rows of the winner come before every row of the others; at least the one that won. */
static size_t run_length(const struct merge *m, const struct source *best)
{
    size_t end = best->rows.count;
    for (size_t i = 0; i < m->nsources; i++) {
        const struct source *s = &m->sources[i];
        if (s == best || s->at == s->rows.count)
            continue;
        size_t low = best->at + 1, high = end;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (best->rows.times[middle] < s->rows.times[s->at])
                low = middle + 1;
            else
                high = middle;
        }
        end = low;
    }
    return end - best->at;
}

/* Rows [at, at + n) of a source, without copying. */
static void slice_rows(const struct merge *m, const struct source *s, size_t n, struct magstore_rows *out)
{
    static const size_t width[] = {[MAGSTORE_DOUBLE] = 8,
                                   [MAGSTORE_BIGINT] = 8,
                                   [MAGSTORE_VARCHAR] = sizeof(struct mr_str),
                                   [MAGSTORE_BOOLEAN] = 1,
                                   [MAGSTORE_TIMESTAMP] = 8};
    for (size_t i = 0; i < s->rows.ncolumns; i++) {
        struct magstore_values *v = &m->slice[i];
        *v = s->rows.columns[i];
        v->values = (const char *)v->values + s->at * width[v->type];
        v->valid = v->valid != NULL ? v->valid + s->at : NULL;
    }
    *out = (struct magstore_rows){n, s->rows.times + s->at,
                                  s->rows.versions != NULL ? s->rows.versions + s->at : NULL, m->slice,
                                  s->rows.ncolumns};
}

static int step(const struct merge *m, struct source *s, size_t n, struct mr_error *err)
{
    s->at += n;
    return s->at == s->rows.count ? next_block(m, s, err) : MR_OK;
}

/* Rows of others at the time that just won have lost. */
static int skip_losers(struct merge *m, int64_t time, struct mr_error *err)
{
    int status = MR_OK;
    for (size_t i = 0; status == MR_OK && i < m->nsources; i++) {
        struct source *s = &m->sources[i];
        if (s->at < s->rows.count && s->rows.times[s->at] == time) {
            m->out->replaced++;
            status = step(m, s, 1, err);
        }
    }
    return status;
}

static int merge_series(struct merge *m, const struct magstore_key *key, struct mr_error *err)
{
    struct source *best;
    int status = start_series(m, key, err);
    while (status == MR_OK && (best = winner(m)) != NULL) {
        size_t n = run_length(m, best);
        int64_t time = best->rows.times[best->at];
        struct magstore_rows rows;
        if (!m->series_open) /* a series without a row left is left out */
            status = magstore_writer_series(m->writer, key, err);
        m->series_open = true;
        slice_rows(m, best, n, &rows);
        if (status == MR_OK)
            status = magstore_writer_rows(m->writer, &rows, err);
        m->out->info.rows += n;
        if (status == MR_OK)
            status = step(m, best, n, err);
        if (status == MR_OK)
            status = skip_losers(m, time, err);
    }
    return status;
}

int magstore_merge(struct magstore_reader *const *readers, size_t nreaders, const struct mr_io *io,
                   const char *dir, const char *name, int64_t cutoff, struct magstore_merged *out,
                   struct mr_error *err)
{
    MR_ASSERT(nreaders > 0 && nreaders <= MAGSTORE_MAX_MERGE);
    *out = (struct magstore_merged){0};
    struct merge m = {.cutoff = cutoff, .out = out};
    int status = set_up(&m, readers, nreaders, err);
    if (status == MR_OK)
        status = magstore_writer_open(io, dir, name, magstore_reader_info(readers[0])->table, m.columns,
                                      m.ncolumns, &m.writer, err);
    const struct magstore_key *key;
    while (status == MR_OK && (key = least_key(&m)) != NULL) {
        status = merge_series(&m, key, err);
        for (size_t i = 0; i < nreaders; i++) /* only now: key points into one of them */
            if (m.sources[i].here)
                look_at_next(&m.sources[i]);
    }
    if (status == MR_OK && out->info.rows != 0) {
        uint64_t rows = out->info.rows;
        status = magstore_writer_finish(m.writer, &out->info, err);
        m.writer = NULL;
        MR_ASSERT(status != MR_OK || out->info.rows == rows);
        out->expired = out->rows_in - out->replaced - rows;
    } else {
        out->expired = out->rows_in - out->replaced;
    }
    magstore_writer_abort(m.writer);
    tear_down(&m);
    return status;
}
