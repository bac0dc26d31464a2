/* care/dump_files.c - manifests, segments and names as text. */
#include "care/dump.h"

#include "base/cursor.h"
#include "magstore/segment_format.h"
#include "memstore/memstore.h"
#include "store/names.h"
#include "store/names_format.h"

#include <fcntl.h>
#include <inttypes.h>

#define PATH_BYTES 4096
#define MANIFEST_LIMIT ((size_t)256 << 20)

static const char *const types[] = {"NONE", "DOUBLE", "BIGINT", "VARCHAR", "BOOLEAN", "TIMESTAMP", "MULTI"};

static const char *type_name(unsigned type)
{
    return type < MR_ARRAY_LEN(types) ? types[type] : "?";
}

static int path_of(const struct dump *d, char out[static PATH_BYTES], struct mr_error *err)
{
    if ((size_t)snprintf(out, PATH_BYTES, "%s/%s", d->dir, d->name) >= PATH_BYTES)
        return mr_error_set(err, MR_EINVAL, "path too long: %s/%s", d->dir, d->name);
    return MR_OK;
}

/* ---- manifest ---------------------------------------------------------------------------------------- */

int care_dump_manifest(struct dump *d, struct mr_error *err)
{
    char path[PATH_BYTES], name[MAGSTORE_FILE_NAME_BYTES];
    struct mr_buf bytes = MR_BUF_INIT;
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    int status = path_of(d, path, err);
    if (status == MR_OK)
        status = mr_io_read_file(&mr_io_posix, path, MANIFEST_LIMIT, &bytes, err);
    if (status == MR_OK)
        status = magstore_manifest_decode(mr_buf_view(&bytes), &m, err);
    if (status == MR_OK)
        fprintf(d->out,
                "manifest %s generation=%" PRIu64 " wal_low=%" PRIu64 " next_file=%" PRIu64 " files=%zu\n",
                d->name, m.generation, m.wal_low, m.next_file, m.nfiles);
    for (size_t i = 0; i < m.nfiles && status == MR_OK; i++) {
        const struct magstore_file *f = &m.files[i];
        magstore_file_name(f->kind, f->number, name);
        fprintf(d->out,
                "  %s database=%" PRIu64 " table=%" PRIu64 " level=%u generation=%" PRIu32 " bytes=%" PRIu64
                " rows=%" PRIu64 " series=%" PRIu32 "..%" PRIu32 " times=%" PRId64 "..%" PRId64
                " crc=%08" PRIx32 "\n",
                name, f->database, f->table, f->level, f->key_generation, f->size, f->rows, f->first_series,
                f->last_series, f->time_min, f->time_max, f->footer_crc);
    }
    magstore_manifest_release(&m);
    mr_buf_release(&bytes);
    return status;
}

/* ---- segment ----------------------------------------------------------------------------------------- */

static void print_value(FILE *out, const struct magstore_values *v, uint32_t row)
{
    if (v->type == MAGSTORE_NONE || (v->valid != NULL && !v->valid[row]))
        fputs("NULL", out);
    else if (v->type == MAGSTORE_DOUBLE)
        fprintf(out, "%.17g", ((const double *)v->values)[row]);
    else if (v->type == MAGSTORE_BOOLEAN)
        fputs(((const uint8_t *)v->values)[row] ? "true" : "false", out);
    else if (v->type == MAGSTORE_VARCHAR)
        fprintf(out, "'" MR_STR_FMT "'", MR_STR_ARG(((const struct mr_str *)v->values)[row]));
    else
        fprintf(out, "%" PRId64, ((const int64_t *)v->values)[row]);
}

static int print_rows(struct dump *d, struct magstore_page *page, struct mr_error *err)
{
    uint32_t nruns, ncolumns;
    const int64_t *versions;
    const struct magstore_run *runs = magstore_page_runs(page, &nruns);
    const uint32_t *columns = magstore_page_columns(page, &ncolumns);
    int status = magstore_page_versions(page, &versions, err);
    struct magstore_values *values = mr_calloc((size_t)ncolumns + 1, sizeof *values);
    if (values == NULL)
        status = mr_error_set(err, MR_ENOMEM, "out of memory");
    for (uint32_t c = 0; c < ncolumns && status == MR_OK; c++)
        status = magstore_page_column(page, columns[c], &values[c], err);
    for (uint32_t r = 0; r < nruns && status == MR_OK; r++) {
        for (uint32_t i = runs[r].first; i < runs[r].first + runs[r].rows; i++) {
            fprintf(d->out, "    row series=%" PRIu32 " time=%" PRId64 " version=%" PRId64, runs[r].series,
                    magstore_page_times(page)[i], versions != NULL ? versions[i] : 1);
            for (uint32_t c = 0; c < ncolumns; c++) {
                fprintf(d->out, " %" PRIu32 "=", columns[c]);
                print_value(d->out, &values[c], i);
            }
            fputc('\n', d->out);
        }
    }
    mr_free(values);
    return status;
}

static int print_block(struct dump *d, const struct magstore_reader *reader, struct magstore_page *page,
                       uint32_t index, struct mr_error *err)
{
    const struct magstore_block *b = magstore_reader_block(reader, index);
    uint32_t ncolumns;
    fprintf(d->out,
            "  block %" PRIu32 " offset=%" PRIu64 " bytes=%" PRIu32 " rows=%" PRIu32 " series=%" PRIu32
            "..%" PRIu32 " times=%" PRId64 "..%" PRId64 "\n",
            index, b->offset, b->bytes, b->rows, b->first_series, b->last_series, b->time_min, b->time_max);
    int status = magstore_page_load(page, reader, index, err);
    if (status != MR_OK)
        return status;
    const uint32_t *columns = magstore_page_columns(page, &ncolumns);
    for (uint32_t c = 0; c < ncolumns; c++) {
        struct magstore_stats stats;
        magstore_page_stats(page, columns[c], &stats);
        fprintf(d->out, "    column %" PRIu32 " type=%s values=%" PRIu32 "\n", columns[c],
                type_name(stats.type), stats.count);
    }
    return d->how->contents ? print_rows(d, page, err) : MR_OK;
}

/* What the file's header says in the clear: whose it is. */
static int read_head(const struct dump *d, void *head, size_t len, struct mr_error *err)
{
    char path[PATH_BYTES];
    int status = path_of(d, path, err);
    if (status != MR_OK)
        return status;
    int fd = mr_io_posix.open(NULL, path, O_RDONLY, 0);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot open %s", path);
    status = mr_io_pread_full(&mr_io_posix, fd, head, len, 0, path, err);
    mr_io_posix.close(NULL, fd);
    return status;
}

int care_dump_segment(struct dump *d, uint64_t number, struct mr_error *err)
{
    struct segment_header h;
    struct magstore_reader *reader = NULL;
    struct magstore_page *page = NULL;
    int status = read_head(d, &h, sizeof h, err);
    if (status != MR_OK)
        return status;
    const struct magstore_place place = {&mr_io_posix, d->dir, d->keyring, h.database, h.table, number};
    status = magstore_reader_open(&place, &reader, err);
    if (status != MR_OK)
        return status;
    const struct magstore_info *i = magstore_reader_info(reader);
    fprintf(d->out,
            "segment %s database=%" PRIu64 " table=%" PRIu64 " generation=%" PRIu32 " bytes=%" PRIu64
            " blocks=%" PRIu64 " rows=%" PRIu64 " series=%" PRIu32 "..%" PRIu32 " times=%" PRId64 "..%" PRId64
            " crc=%08" PRIx32 "\n",
            d->name, i->database, i->table, i->key_generation, i->size, i->blocks, i->rows, i->first_series,
            i->last_series, i->time_min, i->time_max, i->footer_crc);
    if (magstore_page_new(&page) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory");
    for (uint32_t b = 0; b < i->blocks && status == MR_OK; b++)
        status = print_block(d, reader, page, b, err);
    magstore_page_free(page);
    magstore_reader_close(reader);
    return status;
}

/* ---- names ------------------------------------------------------------------------------------------- */

static void print_series(struct dump *d, const struct mem_table *mem, const struct mem_schema *schema)
{
    struct mem_counts counts;
    struct mem_dim dims[MEM_MAX_DIMENSIONS];
    mem_counts(mem, &counts);
    for (uint32_t s = 0; s < counts.next_series; s++) {
        uint32_t measure, ndims;
        if (!mem_series_key(mem, s, &measure, dims, &ndims))
            continue;
        fprintf(d->out, "  series %" PRIu32 " measure=\"" MR_STR_FMT "\"", s,
                MR_STR_ARG(schema->measures[measure].name));
        for (uint32_t i = 0; i < ndims; i++)
            fprintf(d->out, " \"" MR_STR_FMT "\"=\"" MR_STR_FMT "\"",
                    MR_STR_ARG(schema->columns[dims[i].column].name), MR_STR_ARG(dims[i].value));
        fputc('\n', d->out);
    }
}

/* What the table knows after the files up to this one: the later ones build upon the earlier. */
static void print_names(struct dump *d, struct mem_table *mem)
{
    struct mem_schema schema;
    mem_read_lock(mem);
    mem_schema_view(mem, &schema);
    for (uint32_t c = 0; c < schema.ncolumns; c++)
        fprintf(d->out, "  column %" PRIu32 " type=%s name=\"" MR_STR_FMT "\"\n", c,
                type_name((unsigned)schema.columns[c].type), MR_STR_ARG(schema.columns[c].name));
    for (uint32_t m = 0; m < schema.nmeasures; m++)
        fprintf(d->out, "  measure %" PRIu32 " type=%s name=\"" MR_STR_FMT "\"\n", m,
                type_name((unsigned)schema.measures[m].type), MR_STR_ARG(schema.measures[m].name));
    if (d->how->contents)
        print_series(d, mem, &schema);
    mem_read_unlock(mem);
}

static int load_names(struct dump *d, const struct magstore_manifest *m, const struct magstore_file *file,
                      struct mem_table *mem, struct mr_error *err)
{
    int status = MR_OK;
    for (size_t i = 0; i < m->nfiles && status == MR_OK; i++) {
        const struct magstore_file *f = &m->files[i];
        if (f->kind == MAGSTORE_NAMES && f->table == file->table && f->number <= file->number)
            status = names_read(&mr_io_posix, d->dir, d->keyring, f, mem, INT64_MIN, err);
    }
    return status;
}

int care_dump_names(struct dump *d, uint64_t number, struct mr_error *err)
{
    struct names_header h = {0};
    struct mem_budget budget = {0};
    struct mem_table *mem = NULL;
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    const struct magstore_file *file = NULL;
    int status = read_head(d, &h, sizeof h, err);
    if (status != MR_OK)
        return status;
    fprintf(d->out, "names %s version=%" PRIu32 " database=%" PRIu64 " table=%" PRIu64 " generation=%" PRIu32,
            d->name, h.version, h.database, h.table, h.key_generation);
    status = magstore_manifest_load(&mr_io_posix, d->dir, &m, err);
    for (size_t i = 0; i < m.nfiles && status == MR_OK; i++)
        if (m.files[i].kind == MAGSTORE_NAMES && m.files[i].number == number)
            file = &m.files[i];
    if (status != MR_OK || file == NULL) {
        fputs(status == MR_OK ? " (no manifest names it)\n" : "\n", d->out);
        goto done;
    }
    fprintf(d->out, " bytes=%" PRIu64 " series=%" PRIu64 " crc=%08" PRIx32 "\n", file->size, file->rows,
            file->footer_crc);
    if (mem_table_open(&budget, &mem) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory");
    if (status == MR_OK)
        status = load_names(d, &m, file, mem, err);
    if (status == MR_OK)
        print_names(d, mem);
done:
    mem_table_close(mem);
    magstore_manifest_release(&m);
    return status;
}
